// `sluice store copy` as an operator runs it, from a folder into a Redis and back, killed on the way: what moves is all there.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { issued, Plane } from "../../control-plane/test/support/planes-over-server.js";
import {
  ADMIN_TOKEN,
  ControlPlaneProcess,
  settingsIn,
  temporaryFolder,
  withStoredPolicy,
} from "../../control-plane/test/support/process.js";
import { TcpProxy } from "../../control-plane/test/support/servers/tcp-proxy.js";
import { useServer } from "../../control-plane/test/support/servers/use-server.js";
import { sessionAt } from "../../control-plane/test/support/sessions.js";
import { openStore } from "../../control-plane/test/support/temporary-store.js";
import type { CopyMark } from "../../control-plane/src/store/copy/store-image.js";
import { until } from "../../control-plane/test/support/until.js";
import { projectRoot } from "../../scripts/project-root.js";
import { runCommand } from "../../scripts/run-command.js";
import { STORE_USER_RULES } from "../../scripts/store-server.js";

const PROGRAMS = join(projectRoot, "build/js/control-plane/src");
const PASSWORD = "the-store's pass/word";
const SESSIONS = 4500;
/** Of the pages of 1,000 sessions, at which a copy is killed. */
const KILLED_AT = [1000, 3000];
/** Each way: a page takes twice that. */
const SLOW_MS = 100;

const user = { name: "sluice", password: PASSWORD, rules: STORE_USER_RULES };
const server = useServer("Redis 7", { user, appendonly: true, appendfsync: "always" });

interface Ran {
  readonly code: number | null;
  readonly said: string;
}

async function sluice(...args: string[]): Promise<Ran> {
  const env = { PATH: process.env.PATH };
  const { code, output } = await runCommand(process.execPath, [join(PROGRAMS, "cli/main.js"), ...args], { env });
  expect(output).not.toContain(PASSWORD);
  expect(output).not.toContain(encodeURIComponent(PASSWORD));
  return { code, said: output };
}

const checksumIn = ({ code, said }: Ran): string => {
  expect(code, said).toBe(0);
  return /compared, checksum ([0-9a-f]{16})$/m.exec(said)?.[1] ?? "none";
};

/** A file with the server's URL, by this port. */
function urlFile(port: number): string {
  const file = join(temporaryFolder(), "store");
  writeFileSync(file, server().url.replace(/:\d+$/, `:${port}`), { mode: 0o600 });
  return file;
}

/** A folder that a control plane has had: its policy, sessions, and what an Envoy has spent on some of them. */
async function filledFolder(): Promise<{ folder: string; ids: readonly string[] }> {
  const folder = String((await withStoredPolicy()).SLUICE_DATA_DIR);
  const store = await openStore(folder);
  const nowMs = Date.now();
  const sessions = Array.from({ length: SESSIONS }, (_, i) => sessionAt(nowMs - SESSIONS + i));
  await Promise.all(sessions.map((session) => store.create(session)));
  const figures = { rev: 1, consumed: 7, levelMicro: 93_000_000, atMs: nowMs, reportedAtMs: nowMs };
  const of = { edge: "gw-a", instance: "a".repeat(16) };
  const rows = sessions.slice(0, 100).map(({ id }) => ({ sessionId: id, ...of, ...figures }));
  await store.usage.report(rows, new Map());
  await store.close();
  return { folder, ids: sessions.map(({ id }) => id) };
}

/** How many sessions stand in the target. */
async function copied(): Promise<number> {
  const mark = await server().command("GET", "{sluice}:copy");
  return typeof mark === "string" ? (JSON.parse(mark) as CopyMark).digest.sessions.rows : 0;
}

/** Answers how many sessions had been copied then. */
async function killedAfter(sessions: number, from: string, proxy: TcpProxy): Promise<number> {
  proxy.delay(SLOW_MS);
  const args = ["copy", "--from", from, "--to-file", urlFile(proxy.port)];
  const copy = spawn(process.execPath, [join(PROGRAMS, "store-admin.js"), ...args], {
    env: { PATH: process.env.PATH },
  });
  const ended = once(copy, "exit");
  onTestFinished(() => void copy.kill("SIGKILL"));
  await until(async () => {
    expect(await copied()).toBeGreaterThanOrEqual(sessions);
  });
  copy.kill("SIGKILL");
  expect(await ended).toEqual([null, "SIGKILL"]);
  proxy.resume();
  return copied();
}

async function stateAt(url: string, id: string): Promise<string> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const answer = await fetch(`${url}/v1/sessions/${id}`, { headers });
  return ((await answer.json()) as { session: { state: string } }).session.state;
}

it("a copy that was killed twice goes on, holds what the folder held, and can be copied back", async () => {
  const { folder, ids } = await filledFolder();
  const [from, to] = [`lmdb:${folder}`, urlFile(server().port)];
  const proxy = await TcpProxy.listen(server().port);
  onTestFinished(() => proxy.close());
  let left = 0;
  for (const sessions of KILLED_AT) {
    left = await killedAfter(sessions, from, proxy);
    expect(left).toBeLessThan(SESSIONS);
    const { code, said } = await sluice("store", "init", "--at-file", to);
    expect([code, said]).toEqual([2, expect.stringContaining("a copy into it was begun")]);
  }
  const there = await sluice("store", "copy", "--from", from, "--to-file", to);
  expect(there.said).toContain(`going on with a copy that was begun: ${left} sessions are there`);
  const back = join(temporaryFolder(), "data");
  expect(checksumIn(await sluice("store", "copy", "--from-file", to, "--to", `lmdb:${back}`))).toBe(checksumIn(there));

  const plane = await Plane.start("", { SLUICE_STORE_FILE: to });
  const [spent = "", revoked = ""] = ids;
  expect((await plane.operator("GET", `/v1/sessions/${spent}/usage`)).body).toMatchObject({ consumed: 7 });
  expect((await plane.operator("DELETE", `/v1/sessions/${revoked}`)).status).toBe(204);
  const made = await issued(plane);
  const later = join(temporaryFolder(), "data");
  const wayBack = ["store", "copy", "--from-file", to, "--to", `lmdb:${later}`];
  const running = await sluice(...wayBack);
  expect([running.code, running.said]).toEqual([2, expect.stringContaining("a control plane works with the store")]);
  await plane.stop();
  expect(checksumIn(await sluice(...wayBack))).not.toBe(checksumIn(there));

  const former = new ControlPlaneProcess({ ...settingsIn(), SLUICE_DATA_DIR: later });
  const url = await former.listening();
  expect(await Promise.all([spent, revoked, made].map((id) => stateAt(url, id)))).toEqual(["live", "revoked", "live"]);
});
