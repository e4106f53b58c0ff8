// The control plane as a process on a disk that is full: it refuses writes, serves on, and comes back by itself.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";

import { deriveKeys } from "../../src/domain/keys.js";
import { ADMIN_TOKEN, ControlPlaneProcess, SECRET, settingsIn } from "../support/process.js";
import { needsDisk, smallDisk } from "../support/small-disk.js";

const admin = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" };
const edge = {
  authorization: `Bearer ${deriveKeys(Buffer.from(SECRET, "hex")).edgeCredential}`,
  "content-type": "application/json",
};
const AT_ONCE = 20;

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: { readonly session: { readonly id: string }; readonly error: { code: string; message: string } };
}

async function call(url: string, method: string, path: string, sent?: object, headers = admin): Promise<Answer> {
  const body = sent === undefined ? {} : { body: JSON.stringify(sent) };
  const response = await fetch(url + path, { method, headers, ...body });
  const text = await response.text();
  const retryAfter = response.headers.get("retry-after");
  return { status: response.status, retryAfter, body: (text === "" ? {} : JSON.parse(text)) as Answer["body"] };
}

const create = (url: string, i: number): Promise<Answer> => {
  const metadata = { userAgent: "x".repeat(400), ip: "192.0.2.1" };
  return call(url, "POST", "/v1/sessions", { userId: `u${i}`, orgId: "o1", metadata });
};

const report = (url: string, instance: number, ids: readonly string[], rev: number): Promise<Answer> => {
  const usage = ids.map((id) => [id, rev, rev * 1_000_000, 5_000_000, 0]);
  const name = instance.toString(16).padStart(16, "0");
  return call(url, "POST", "/edge/v1/report", { edge: "gw-1", instance: name, usage, more: false }, edge);
};

/** Until one is answered with something else than `status`. Answers the ids of those that were acknowledged, and that answer. */
async function createUntilFull(url: string): Promise<{ ids: string[]; refused: Answer }> {
  const ids: string[] = [];
  for (let i = 0; ; i += AT_ONCE) {
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, (_, k) => create(url, i + k)));
    ids.push(...answers.filter(({ status }) => status === 201).map(({ body }) => body.session.id));
    const refused = answers.find(({ status }) => status !== 201);
    if (refused !== undefined) return { ids, refused };
  }
}

async function ready(plane: ControlPlaneProcess, status: number): Promise<Answer> {
  for (;;) {
    const answer = await call(await plane.status(), "GET", "/readyz");
    if (answer.status === status) return answer;
    await sleep(100);
  }
}

/** Of these sessions, those that are not there. */
async function missing(url: string, ids: readonly string[]): Promise<string[]> {
  const isThere = async (id: string): Promise<boolean> => (await call(url, "GET", `/v1/sessions/${id}`)).status === 200;
  const lost: string[] = [];
  for (let start = 0; start < ids.length; start += AT_ONCE) {
    const some = ids.slice(start, start + AT_ONCE);
    const found = await Promise.all(some.map(isThere));
    lost.push(...some.filter((_, i) => found[i] !== true));
  }
  return lost;
}

const lines = ({ stdout }: ControlPlaneProcess, event: string): number => stdout.split(`"event":"${event}"`).length - 1;

it("a disk that creations fill makes writes 503, reads go on, and room brings them back", async (test) => {
  needsDisk(test);
  const disk = smallDisk(3);
  const plane = new ControlPlaneProcess(settingsIn(disk.path));
  const url = await plane.listening();

  const { ids, refused } = await createUntilFull(url);
  expect([refused.status, refused.body.error.code, refused.retryAfter]).toEqual([503, "NOT_WRITTEN", "1"]);
  const { body } = await ready(plane, 503);
  expect(body.error.message).toMatch(/^The store cannot be written: a commit failed: .* the disk has \d+ bytes free$/);
  expect((await call(await plane.status(), "GET", "/healthz")).status).toBe(200);
  const first = ids[0] ?? "";
  expect((await call(url, "GET", `/v1/sessions/${first}`)).status).toBe(200);
  const gone = await call(url, "DELETE", `/v1/sessions/${first}`);
  expect([gone.status, gone.body.error.code]).toEqual([503, "NOT_WRITTEN"]);
  const acquire = await call(
    url,
    "POST",
    "/edge/v1/acquire",
    { edge: "gw", instance: "0".repeat(16), session: first },
    edge,
  );
  expect([acquire.status, acquire.body.error.code]).toEqual([503, "NOT_WRITTEN"]);
  await plane.logLine("store-unwritable");
  expect(await (await fetch(`${await plane.status()}/metrics`)).text()).toContain("sluice_control_store_writable 0");

  await sleep(3000);
  expect(lines(plane, "store-unwritable")).toBe(1);
  disk.resize(16);
  await ready(plane, 200);
  expect((await create(url, 0)).status).toBe(201);
  expect((await call(url, "DELETE", `/v1/sessions/${first}`)).status).toBe(204);
  await plane.logLine("store-writable");
  expect(await missing(url, ids)).toEqual([]);
  plane.kill("SIGTERM");
  expect(await plane.ended).toEqual({ code: 0, signal: null });
});

it("a disk that edges' reports fill ends nothing, and rows that they repeat are taken later", async (test) => {
  needsDisk(test);
  const disk = smallDisk(8);
  const plane = new ControlPlaneProcess(settingsIn(disk.path));
  const url = await plane.listening();
  const created = await Promise.all(Array.from({ length: 100 }, (_, i) => create(url, i)));
  const ids = created.map(({ body }) => body.session.id);
  disk.fill(300_000);

  let [instance, answer] = [0, await report(url, 0, ids, 1)];
  while (answer.status === 200) answer = await report(url, ++instance, ids, 1);
  expect([answer.status, answer.body.error.code, answer.retryAfter]).toEqual([503, "NOT_WRITTEN", "1"]);
  for (let again = 0; again < 20; again++) expect((await report(url, instance, ids, 1)).status).toBe(503);
  await ready(plane, 503);

  disk.clear();
  await ready(plane, 200);
  expect((await report(url, instance, ids, 2)).status).toBe(200);
  const usage = (await call(url, "GET", `/v1/sessions/${ids[0] ?? ""}/usage`)).body as unknown as { usage: unknown };
  expect(JSON.stringify(usage)).toContain(instance.toString(16).padStart(16, "0"));
});

it("a disk that the audit log fills refuses what it cannot tell of, and takes it later", async (test) => {
  needsDisk(test);
  const disk = smallDisk(4);
  const plane = new ControlPlaneProcess(settingsIn(disk.path));
  const url = await plane.listening();
  const path = `/v1/sessions/${(await create(url, 0)).body.session.id}/token`;
  disk.fill(200_000);
  let answer = await call(url, "POST", path);
  let reissued = 0;
  for (; answer.status === 200; reissued++) answer = await call(url, "POST", path);
  expect([answer.status, answer.body.error.code]).toEqual([503, "NOT_WRITTEN"]);
  disk.clear();
  await ready(plane, 200);
  expect((await call(url, "POST", path)).status).toBe(200);
  const { entries } = (await call(url, "GET", "/v1/audit?limit=1")).body as unknown as {
    entries: [{ number: number }];
  };
  // The policy at the start, and one for each that was answered with 200.
  expect(entries[0].number).toBe(1 + reissued + 1);
});

it("a policy that was changed while the disk was full is taken after a start, with room", async (test) => {
  needsDisk(test);
  const disk = smallDisk(4);
  const settings = settingsIn();
  const there = { ...settings, SLUICE_DATA_DIR: join(disk.path, "data") };
  const plane = new ControlPlaneProcess(there);
  await createUntilFull(await plane.listening());
  disk.fill();
  plane.kill("SIGKILL");
  await plane.ended;
  const policy = settings.SLUICE_POLICY ?? "";
  // More than freed pages of the store have room for.
  const plans = Array.from({ length: 200 }, (_, i) => {
    return `  - { id: ${i + 1}, name: plan-${i}, maxTokens: 1, tokenRefillRate: 1 }\n`;
  });
  writeFileSync(policy, readFileSync(policy, "utf8") + plans.join(""));

  const again = new ControlPlaneProcess(there);
  const status = await again.status();
  const generation = async (): Promise<string> =>
    /sluice_control_policy_generation (\d+)/.exec(await (await fetch(`${status}/metrics`)).text())?.[1] ?? "";
  expect(await generation()).toBe("1");
  disk.resize(16);
  while ((await generation()) !== "2") await sleep(100);
  await ready(again, 200);
});

it("a control plane that is killed on a full disk starts there, and has every session", async (test) => {
  needsDisk(test);
  const disk = smallDisk(3);
  const settings = settingsIn(disk.path);
  const plane = new ControlPlaneProcess(settings);
  const url = await plane.listening();
  const { ids } = await createUntilFull(url);
  disk.fill();
  const underWay = Array.from({ length: AT_ONCE }, (_, i) => create(url, i).catch(() => undefined));
  plane.kill("SIGKILL");
  await plane.ended;
  await Promise.all(underWay);

  const again = new ControlPlaneProcess(settings);
  const there = await again.listening();
  expect(await missing(there, ids)).toEqual([]);
  // LMDB uses freed pages again, so a few may find room.
  const more = await createUntilFull(there);
  await ready(again, 503);
  disk.resize(16);
  await ready(again, 200);
  expect((await create(there, 0)).status).toBe(201);
  expect(await missing(there, more.ids)).toEqual([]);
});
