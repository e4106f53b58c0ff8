// The control plane as a process over a disk that fails: system calls are made to fail by strace, where there is one.
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import type { TestContext } from "vitest";

import { notRun } from "../../../scripts/test/not-run.js";
import { ADMIN_TOKEN, ControlPlaneProcess, settingsIn } from "../support/process.js";

const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" };
const body = JSON.stringify({ userId: "u1", orgId: "o1" });

const create = (url: string): Promise<Response> => fetch(`${url}/v1/sessions`, { method: "POST", headers, body });

function needsStrace(context: TestContext): void {
  const { status, stderr } = spawnSync("strace", ["-e", "trace=none", "true"], { encoding: "utf8" });
  if (status === 0) return;
  notRun(context, `no system call can be made to fail here: ${stderr === "" ? "there is no strace" : stderr}`);
}

/** These calls of the process fail with EIO, until what this resolves to is killed. */
async function failing(calls: string, { pid }: ControlPlaneProcess): Promise<ChildProcess> {
  const inject = ["-e", `trace=${calls}`, "-e", `inject=${calls}:error=EIO`, "-o", "/dev/null"];
  const strace = spawn("strace", ["-f", ...inject, "-p", String(pid)], { stdio: ["ignore", "ignore", "pipe"] });
  onTestFinished(() => void strace.kill("SIGKILL"));
  await once(strace.stderr, "data");
  return strace;
}

async function status(url: string): Promise<number> {
  return (await fetch(`${url}/readyz`)).status;
}

it("a disk that does not sync what was written gives 503, and writes go on when it does", async (test) => {
  needsStrace(test);
  const plane = new ControlPlaneProcess(settingsIn());
  const url = await plane.listening();
  const strace = await failing("fdatasync", plane);
  expect((await create(url)).status).toBe(503);
  expect(await status(url)).toBe(503);
  strace.kill("SIGINT");
  while ((await status(url)) !== 200) await sleep(100);
  expect((await create(url)).status).toBe(201);
});
