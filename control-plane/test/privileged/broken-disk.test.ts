// The control plane as a process over a disk that fails: system calls are made to fail by strace, where there is one.
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import type { TestContext } from "vitest";

import { notRun } from "../../../scripts/test/not-run.js";
import { ADMIN_TOKEN, ControlPlaneProcess, settingsIn } from "../support/process.js";
import type { Ended } from "../support/process.js";

const HANG = "delay_enter=300s";

const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" };
const body = JSON.stringify({ userId: "u1", orgId: "o1" });

const create = (url: string): Promise<Response> => fetch(`${url}/v1/sessions`, { method: "POST", headers, body });

function needsStrace(context: TestContext): void {
  const { status, stderr } = spawnSync("strace", ["-e", "trace=none", "true"], { encoding: "utf8" });
  if (status === 0) return;
  notRun(context, `no system call can be made to fail here: ${stderr === "" ? "there is no strace" : stderr}`);
}

/** These calls of the process fail with EIO, or what else is said, until what this resolves to is killed. */
async function failing(calls: string, { pid }: ControlPlaneProcess, how = "error=EIO"): Promise<ChildProcess> {
  const inject = ["-e", `trace=${calls}`, "-e", `inject=${calls}:${how}`, "-o", "/dev/null"];
  const strace = spawn("strace", ["-f", ...inject, "-p", String(pid)], { stdio: ["ignore", "ignore", "pipe"] });
  onTestFinished(() => void strace.kill("SIGKILL"));
  await once(strace.stderr, "data");
  return strace;
}

async function status(plane: ControlPlaneProcess): Promise<number> {
  return (await fetch(`${await plane.status()}/readyz`)).status;
}

it("a disk that does not sync what was written gives 503, and writes go on when it does", async (test) => {
  needsStrace(test);
  const plane = new ControlPlaneProcess(settingsIn());
  const url = await plane.listening();
  const strace = await failing("fdatasync", plane);
  expect((await create(url)).status).toBe(503);
  expect(await status(plane)).toBe(503);
  strace.kill("SIGINT");
  while ((await status(plane)) !== 200) await sleep(100);
  expect((await create(url)).status).toBe(201);
});

const shown = async (url: string, id: string): Promise<number> =>
  (await fetch(`${url}/v1/sessions/${id}`, { headers })).status;

/**
 * Until LMDB cannot write its meta page, by a `pwrite64` of its own at the end of a commit. A commit may write other pages
 * by that call too, and then fails in order: after one that succeeds the next writes others.
 */
async function metaPageFails(plane: ControlPlaneProcess, url: string, acknowledged: string[]): Promise<ChildProcess> {
  for (;;) {
    const { session } = (await (await create(url)).json()) as { session: { id: string } };
    acknowledged.push(session.id);
    // By `fsync` the disk is asked whether it takes writes, and by LMDB nothing.
    const strace = await failing("pwrite64,fsync", plane);
    expect((await create(url)).status).toBe(503);
    if ((await shown(url, session.id)) >= 500) return strace;
    strace.kill("SIGINT");
    while ((await status(plane)) !== 200) await sleep(100);
  }
}

it("a disk that fails at LMDB's meta page ends the process once it is well, for a new one", async (test) => {
  needsStrace(test);
  const settings = settingsIn();
  const plane = new ControlPlaneProcess(settings);
  const url = await plane.listening();
  const acknowledged: string[] = [];
  const strace = await metaPageFails(plane, url, acknowledged);
  await sleep(3000);
  const [id = ""] = acknowledged;
  expect(await shown(url, id)).toBeGreaterThanOrEqual(500);
  expect((await create(url)).status).toBe(503);
  expect(await status(plane)).toBe(503);
  expect((await fetch(`${await plane.status()}/healthz`)).status).toBe(200);
  const metrics = await fetch(`${await plane.status()}/metrics`);
  expect([metrics.status, await metrics.text()]).toEqual([
    200,
    expect.stringContaining("sluice_control_store_writable 0"),
  ]);
  await plane.logLine("store-unwritable");
  expect(plane.stdout).not.toContain('"event":"store-over"');
  strace.kill("SIGINT");
  expect(await plane.ended).toEqual({ code: null, signal: "SIGKILL" });
  expect(plane.stdout).toContain('"event":"store-over"');

  const again = await new ControlPlaneProcess(settings).listening();
  for (const one of acknowledged) {
    expect(await shown(again, one)).toBe(200);
  }
  expect((await create(again)).status).toBe(201);
}, 180_000);

/** Once nothing of it runs but the thread that hangs, which strace lets go of only at its own end. */
async function hangsAlone({ pid }: ControlPlaneProcess): Promise<void> {
  while (!/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) await sleep(100);
}

async function ended(plane: ControlPlaneProcess, strace: ChildProcess): Promise<Ended> {
  await hangsAlone(plane);
  strace.kill("SIGKILL");
  return plane.exited;
}

it("SIGTERM ends the process by the signal, seconds later, while a commit hangs", async (test) => {
  needsStrace(test);
  const plane = new ControlPlaneProcess(settingsIn());
  const url = await plane.listening();
  const strace = await failing("fdatasync,fsync", plane, HANG);
  const hanging = create(url).catch(() => undefined);
  await sleep(500);
  plane.kill("SIGTERM");
  expect(await ended(plane, strace)).toEqual({ code: null, signal: "SIGTERM" });
  await hanging;
});

it("a folder whose last commit still hangs is nobody else's, though its process was stopped", async (test) => {
  needsStrace(test);
  const settings = settingsIn();
  const plane = new ControlPlaneProcess(settings);
  const url = await plane.listening();
  const strace = await failing("fdatasync,fsync", plane, HANG);
  const hanging = create(url).catch(() => undefined);
  await sleep(500);
  plane.kill("SIGTERM");
  await hangsAlone(plane);
  await expect(new ControlPlaneProcess(settings).listening()).rejects.toThrow("is in use: control plane");
  strace.kill("SIGKILL");
  await Promise.all([plane.exited, hanging]);
  await new ControlPlaneProcess(settings).listening();
});

it("a disk that hangs is logged after 30 s, and SIGTERM ends the process then too", async (test) => {
  needsStrace(test);
  const plane = new ControlPlaneProcess(settingsIn());
  const url = await plane.listening();
  const strace = await failing("fdatasync,fsync", plane, HANG);
  expect((await create(url)).status).toBe(503);
  await plane.logLine("store-unwritable");
  plane.kill("SIGTERM");
  expect(await ended(plane, strace)).toEqual({ code: null, signal: "SIGTERM" });
});
