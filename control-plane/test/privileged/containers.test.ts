// Control planes and backups that each are process 1 of a container, on one data folder.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";

import { compiledMain } from "../support/compiled-sources.js";
import { CONTAINED, firstChildOf, needsNamespaces } from "../support/contained.js";
import { ADMIN_TOKEN, ControlPlaneProcess, settingsIn } from "../support/process.js";

async function statusOfCreation(url: string): Promise<number> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" };
  const body = JSON.stringify({ userId: "u1", orgId: "o1" });
  return (await fetch(`${url}/v1/sessions`, { method: "POST", headers, body })).status;
}

it("two control planes that each are process 1 of a container do not share a folder", async (test) => {
  needsNamespaces(test);
  const settings = settingsIn();
  const folder = settings.SLUICE_DATA_DIR ?? "";
  const first = new ControlPlaneProcess(settings, CONTAINED);
  const url = await first.listening();
  for (const within of [CONTAINED, []]) {
    const second = new ControlPlaneProcess(settings, within);
    expect((await second.ended).code).toBe(1);
    expect(second.stderr).toMatch(
      /^sluice control plane: the store in .* is in use: control plane, process 1 on \S+\n$/,
    );
    expect(second.stderr).toContain(folder);
  }
  expect(await statusOfCreation(url)).toBe(201);

  first.kill("SIGKILL");
  await first.ended;
  const next = new ControlPlaneProcess(settings, CONTAINED);
  expect(await statusOfCreation(await next.listening())).toBe(201);
});

it("a backup by the control plane's own number, from another container, says how to make one", async (test) => {
  needsNamespaces(test);
  const settings = settingsIn();
  const folder = settings.SLUICE_DATA_DIR ?? "";
  await new ControlPlaneProcess(settings, CONTAINED).listening();
  const [unshare = "", ...options] = CONTAINED;
  const program = join(dirname(compiledMain()), "store-admin.js");
  const backup = ["backup", join(dirname(folder), "backup"), "--data", folder];
  const alone = spawnSync(unshare, [...options, process.execPath, program, ...backup], { encoding: "utf8" });
  expect([alone.status, alone.stderr]).toEqual([1, expect.stringMatching(/store-admin: .*docker run --init\)\n$/)]);
  const shell = ["sh", "-c", '"$0" "$@"; exit $?', process.execPath, program, ...backup];
  expect(spawnSync(unshare, [...options, ...shell], { encoding: "utf8" }).stderr).toBe("");
});

it("a restore from another container is refused while a control plane has the folder", async (test) => {
  needsNamespaces(test);
  const settings = settingsIn();
  const folder = settings.SLUICE_DATA_DIR ?? "";
  const file = join(dirname(folder), "backup");
  const url = await new ControlPlaneProcess(settings, CONTAINED).listening();
  const program = join(dirname(compiledMain()), "store-admin.js");
  expect(spawnSync(process.execPath, [program, "backup", file, "--data", folder]).status).toBe(0);
  const restore = [process.execPath, program, "restore", file, "--data", folder, "--force"];
  for (const within of [CONTAINED, []]) {
    const [command = "", ...args] = [...within, ...restore];
    const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^store-admin: the folder \S+ is in use: [^\n]+\n$/)]);
    expect(stderr).toContain("control plane, process 1 on");
  }
  expect(await statusOfCreation(url)).toBe(201);
});

it.for(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "sluice as process 1 of a container ends by %s",
  async (signal, test) => {
    needsNamespaces(test);
    const silent = createServer(() => undefined).listen(0, "127.0.0.1");
    onTestFinished(() => {
      silent.closeAllConnections();
      silent.close();
    });
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const env = { PATH: process.env.PATH, SLUICE_URL: `http://127.0.0.1:${port}`, SLUICE_ADMIN_TOKEN: ADMIN_TOKEN };
    const [unshare = "", ...options] = CONTAINED;
    const command = [process.execPath, join(dirname(compiledMain()), "cli/main.js"), "edges", "--timeout", "600"];
    const child = spawn(unshare, [...options, ...command], { env, stdio: "ignore" });
    onTestFinished(() => void child.kill("SIGKILL"));
    const ended = once(child, "exit", { signal: AbortSignal.timeout(100_000) });
    await once(silent, "request");
    process.kill(firstChildOf(child.pid ?? 0), signal);
    expect(await ended).toEqual([128 + constants.signals[signal], null]);
  },
);
