// Invalidations and the control plane as a process: what survives its death, how it stops, and its store's backups.
import { once } from "node:events";
import { copyFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

import { runCommand } from "../../../scripts/run-command.js";
import { deriveKeys } from "../../src/domain/keys.js";
import { openStore } from "../support/temporary-store.js";
import { STORE_FILE } from "../../src/store/lmdb/layout.js";
import { compiledMain } from "../support/compiled-sources.js";
import { ADMIN_TOKEN, ControlPlaneProcess, SECRET, settingsIn, temporaryFolder } from "../support/process.js";
import { sessionAt } from "../support/sessions.js";

const admin = { authorization: `Bearer ${ADMIN_TOKEN}` };
const edge = {
  authorization: `Bearer ${deriveKeys(Buffer.from(SECRET, "hex")).edgeCredential}`,
  "content-type": "application/json",
};
const MANY = 10_000;

/** Settings of a control plane whose store has `count` sessions of the user u1. */
async function withSessions(count: number) {
  const settings = settingsIn();
  const data = settings.SLUICE_DATA_DIR ?? "";
  const store = await openStore(data);
  const sessions = Array.from({ length: count }, (_, i) => sessionAt(Date.now() - count + i));
  await Promise.all(sessions.map((session) => store.create(session)));
  await store.close();
  return { settings, data, ids: sessions.map(({ id }) => id) };
}

interface WatchBody {
  readonly log: string;
  readonly cursor: number;
  readonly revoked?: string[];
  readonly reset?: boolean;
}

const watch = (url: string, fields: object): Promise<Response> =>
  fetch(`${url}/edge/v1/watch`, {
    method: "POST",
    headers: edge,
    body: JSON.stringify({
      edge: "gw-1",
      instance: "0".repeat(16),
      since: 0,
      ...fields,
    }),
  });

/** The answer to a watch that is answered at once. */
const watched = async (url: string, fields: object): Promise<WatchBody> =>
  (await (await watch(url, fields)).json()) as WatchBody;

/** The log that a new edge is given. */
const logOf = async (url: string): Promise<string> => (await watched(url, {})).log;

const revoke = (url: string, id: string): Promise<Response> =>
  fetch(`${url}/v1/sessions/${id}`, { method: "DELETE", headers: admin });

async function metric(status: string, line: RegExp): Promise<string | undefined> {
  return line.exec(await (await fetch(`${status}/metrics`)).text())?.[1];
}

/** Waits until so many watches are held. */
async function held(plane: ControlPlaneProcess, count: number): Promise<void> {
  const status = await plane.status();
  while ((await metric(status, /^sluice_control_watches_held (\d+)$/m)) !== String(count));
}

async function storeAdmin(...args: string[]): Promise<{ code: number; said: string }> {
  const program = join(dirname(compiledMain()), "store-admin.js");
  const run = await runCommand(process.execPath, [program, ...args], { env: { PATH: process.env.PATH } });
  return { code: run.code, said: run.stdout + run.stderr };
}

describe("a control plane that is killed", () => {
  it("a bulk revocation goes on after a kill and a restart, and repeats nothing", async () => {
    const { settings, data } = await withSessions(MANY);
    const first = new ControlPlaneProcess(settings);
    const begun = await fetch(`${await first.listening()}/v1/sessions?userId=u1`, { method: "DELETE", headers: admin });
    expect(begun.status).toBe(202);
    first.kill("SIGKILL");
    await first.ended;
    const { id } = ((await begun.json()) as { revocation: { id: string } }).revocation;
    const between = await openStore(data);
    expect(await between.revocations.find(id)).toMatchObject({ finishedAt: null });
    await between.close();

    const second = new ControlPlaneProcess(settings);
    const url = await second.listening();
    let last = { state: "", examined: 0, revoked: 0 };
    while (last.state !== "finished") {
      const answer = await fetch(`${url}/v1/revocations/${id}`, { headers: admin });
      last = ((await answer.json()) as { revocation: typeof last }).revocation;
    }
    expect(last).toMatchObject({ examined: MANY, revoked: MANY });
    second.kill("SIGTERM");
    await second.ended;
    const after = await openStore(data);
    expect((await after.position()).cursor).toBe(MANY);
    expect(await after.countLive(0, 0)).toBe(0);
    await after.close();
  });

  it("the invalidation log survives a kill: an edge goes on from its cursor", async () => {
    const { settings, ids } = await withSessions(2);
    const [one = "", two = ""] = ids;
    const first = new ControlPlaneProcess(settings);
    const firstUrl = await first.listening();
    const follower = watch(firstUrl, { log: await logOf(firstUrl) });
    await held(first, 1);
    expect((await revoke(firstUrl, one)).status).toBe(204);
    const { log, cursor, revoked } = (await (await follower).json()) as WatchBody;
    expect([cursor, revoked]).toEqual([1, [one]]);
    expect((await revoke(firstUrl, two)).status).toBe(204);
    first.kill("SIGKILL");
    await first.ended;

    const url = await new ControlPlaneProcess(settings).listening();
    expect(await watched(url, { log, since: cursor })).toEqual({ log, cursor: 2, revoked: [two], refresh: [] });
  });
});

describe("a control plane that is told to stop", () => {
  it("a stop answers held watches, closes their connections, and ends with 0", async () => {
    const plane = new ControlPlaneProcess(settingsIn());
    const url = await plane.listening();
    const log = await logOf(url);
    const watched = [watch(url, { edge: "gw-1", log }), watch(url, { edge: "gw-2", log })];
    await held(plane, 2);
    plane.kill("SIGTERM");
    for (const answer of await Promise.all(watched)) {
      expect([answer.status, answer.headers.get("connection")]).toEqual([200, "close"]);
      expect(await answer.json()).toMatchObject({ cursor: 0, revoked: [], refresh: [] });
    }
    expect(await plane.ended).toEqual({ code: 0, signal: null });
  });
});

describe("a stop while a caller holds a connection", () => {
  it.each([
    ["and has sent nothing on it", ""],
    ["and has sent half a request", "GET /v1/sessions HTTP/1.1\r\nhost: sluice\r\n"],
    ["and has sent half a body", "POST /v1/sessions HTTP/1.1\r\nhost: sluice\r\ncontent-length: 9\r\n\r\n{"],
  ])("a stop ends with 0 while a caller holds a connection %s", async (_, sent) => {
    const plane = new ControlPlaneProcess(settingsIn());
    const http = await plane.port();
    const socket = connect(http, "127.0.0.1");
    // It is cut off, as it must be.
    socket.on("error", () => undefined);
    await once(socket, "connect");
    socket.write(sent);
    expect((await fetch(`${await plane.status()}/readyz`)).status).toBe(200);
    plane.kill("SIGTERM");
    expect(await plane.ended).toEqual({ code: 0, signal: null });
    socket.destroy();
  });
});

describe("a caller that hangs up", () => {
  it("a caller that hangs up frees its watch", async () => {
    const plane = new ControlPlaneProcess(settingsIn());
    const url = await plane.listening();
    const caller = new AbortController();
    const log = await logOf(url);
    const body = { edge: "gw-1", instance: "0".repeat(16), log, since: 0 };
    const call = fetch(`${url}/edge/v1/watch`, {
      method: "POST",
      headers: edge,
      body: JSON.stringify(body),
      signal: caller.signal,
    });
    await held(plane, 1);
    caller.abort();
    await expect(call).rejects.toThrow();
    await held(plane, 0);
  });
});

describe("backup and restore by command", () => {
  it("a restored backup makes every edge reset, and is not restored over a store in use", async () => {
    const { settings, data, ids } = await withSessions(1);
    const [id = ""] = ids;
    const file = join(temporaryFolder(), "backup.mdb");
    const plane = new ControlPlaneProcess(settings);
    const url = await plane.listening();
    expect(await storeAdmin("backup", file, "--data", data)).toMatchObject({ code: 0 });
    expect((await revoke(url, id)).status).toBe(204);
    const { log } = await watched(url, { log: "0123456789abcdef" });

    const failed = await storeAdmin("restore", file, "--data", data, "--force");
    expect(failed.code).toBe(1);
    expect(failed.said).toMatch(/^store-admin: the folder \S+ is in use: control plane, process \d+ on \S+\n$/);
    expect(failed.said).toContain(data);
    expect((await fetch(`${await plane.status()}/readyz`)).status).toBe(200);
    plane.kill("SIGKILL");
    await plane.ended;
    expect(await storeAdmin("restore", file, "--data", data)).toMatchObject({ code: 1 });
    expect(await storeAdmin("restore", file, "--data", data, "--force")).toMatchObject({ code: 0 });

    const restored = await new ControlPlaneProcess(settings).listening();
    const reset = await watched(restored, { log, since: 1 });
    expect(reset).toMatchObject({ reset: true, cursor: 0 });
    expect(reset.log).not.toBe(log);
    const shown = await fetch(`${restored}/v1/sessions/${id}`, { headers: admin });
    expect(await shown.json()).toMatchObject({ session: { state: "live" } });
  });

  it("a backup without a check sum is restored with a warning", async () => {
    const { data } = await withSessions(1);
    const [file, fresh] = [join(temporaryFolder(), "bare.mdb"), temporaryFolder()];
    copyFileSync(join(data, STORE_FILE), file);
    expect(await storeAdmin("restore", file, "--data", fresh)).toEqual({
      code: 0,
      said:
        `${file} is in ${fresh}\n` +
        `store-admin: ${file} is of a version without check sums: it could not be checked for damage\n`,
    });
  });

  it("the backup and restore commands explain themselves", async () => {
    for (const args of [[], ["backup"], ["restore", "a", "b"], ["backup", "a", "--force"], ["erase", "a"]]) {
      const { code, said } = await storeAdmin(...args);
      expect([code, said.startsWith("usage:")]).toEqual([2, true]);
    }
  });
});
