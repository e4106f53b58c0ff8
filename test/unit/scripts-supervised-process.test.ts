// Children of npm start and of the end-to-end tests: nothing may be left running, and no output may be lost.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../control-plane/test/support/until.js";
import { projectRoot } from "../../scripts/project-root.js";
import { Stack } from "../../scripts/start/stack.js";
import { type ProcessPlan, startProcess } from "../../scripts/start/supervised-process.js";

let folder: string;
let scripts = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-child-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe("a child process", () => {
  it("a child writes its output to its log file, which only its owner may read", async () => {
    const child = await startProcess(plan("console.log('out'); console.error('err')"));
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(readFileSync(child.logFile, "utf8").split("\n").sort()).toEqual(["", "err", "out"]);
    expect(statSync(child.logFile).mode & 0o777).toBe(0o600);
  });

  it("a child gets the environment that it is given, and nothing of ours", async () => {
    process.env.SLUICE_TEST_LEAK = "leak";
    const child = await startProcess(
      plan("console.log(JSON.stringify(process.env))", { GIVEN: "1", ABSENT: undefined }),
    );
    delete process.env.SLUICE_TEST_LEAK;
    await child.exited;
    expect(logged(child.logFile)).toContain('"GIVEN":"1"');
    expect(logged(child.logFile)).not.toContain("SLUICE_TEST_LEAK");
  });

  it("a child ends on stop, and by force when it ignores the signal", async () => {
    const polite = await startProcess(plan(SAY_READY_AND_STAY));
    const deaf = await startProcess(plan(`process.on('SIGTERM', () => {}); ${SAY_READY_AND_STAY}`, {}, "deaf.log"));
    await said(polite.logFile, "ready");
    await said(deaf.logFile, "ready");
    expect((await polite.stop()).signal).toBe("SIGTERM");
    expect((await deaf.stop(50)).signal).toBe("SIGKILL");
    expect([polite.running, deaf.running]).toEqual([false, false]);
  });

  it("a child takes the processes that it started with it", async () => {
    const grandchild = `const c = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)']);`;
    const child = await startProcess(plan(`${grandchild} console.log('pid', c.pid); setInterval(() => {}, 1e6)`));
    const pid = Number(/pid (\d+)/.exec(await said(child.logFile, "pid"))?.[1]);
    await child.stop();
    await until(() => {
      expect(isAlive(pid)).toBe(false);
    });
  });

  it("a child whose program is missing is explained in one sentence", async () => {
    const missing = { ...plan(""), command: join(folder, "no-such-program") };
    await expect(startProcess(missing)).rejects.toThrow("The child cannot be started: spawn");
  });

  it("a child does not outlive a parent that was killed", async () => {
    const log = join(folder, "orphan.log");
    const module = join(projectRoot, "build/js/scripts/start/supervised-process.js");
    const orphanPlan = { ...plan(SAY_READY_AND_STAY), logFile: log };
    const script = `const { startProcess } = await import(${JSON.stringify(module)});
      console.log('pid', (await startProcess(${JSON.stringify(orphanPlan)})).pid);`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(/pid (\d+)/.exec(line.toString())?.[1]);
    await said(log, "ready");
    parent.kill("SIGKILL");
    await until(() => {
      expect(isAlive(pid)).toBe(false);
    });
  });
});

describe("a stack of children", () => {
  it("a stack says in one sentence which child died, how, and where its output is", async () => {
    const stack = new Stack();
    await stack.start(plan(SAY_READY_AND_STAY));
    const lost = once(stack.lost, "abort");
    await stack.start({
      ...plan("console.log('bad luck'); process.exit(3)"),
      name: "Envoy",
      logFile: join(folder, "e.log"),
    });
    await lost;
    expect((stack.lost.reason as Error).message).toBe(
      `Envoy ended with code 3, saying "bad luck"; its output is in ${join(folder, "e.log")}.`,
    );
    await stack.stop();
  });

  it("a stack stops all children, the last one first, and calls that no loss", async () => {
    const stack = new Stack();
    const order: string[] = [];
    for (const name of ["first", "second", "third"]) {
      const child = await stack.start({ ...plan(SAY_READY_AND_STAY), name, logFile: join(folder, name) });
      void child.exited.then(() => order.push(name));
    }
    await stack.stop();
    expect(order).toEqual(["third", "second", "first"]);
    expect(stack.lost.aborted).toBe(false);
  });
});

const SAY_READY_AND_STAY = "console.log('ready'); setInterval(() => {}, 1e6)";

function plan(script: string, env: ProcessPlan["env"] = {}, log = "child.log"): ProcessPlan {
  const file = join(folder, `${scripts++}.cjs`);
  writeFileSync(file, script);
  return { name: "The child", command: process.execPath, args: [file], env, logFile: join(folder, log) };
}

function logged(file: string): string {
  return readFileSync(file, "utf8");
}

async function said(file: string, text: string): Promise<string> {
  return until(() => {
    const all = logged(file);
    expect(all).toContain(text);
    return all;
  });
}

/** A zombie that init has not collected yet is as dead as one that has gone. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
