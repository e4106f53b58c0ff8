// One npm start a data folder, with real processes: however the first one ends, nothing has to be removed by hand.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { projectRoot } from "../../scripts/project-root.js";

const MODULE = JSON.stringify(join(projectRoot, "scripts/start/start-lock.mjs"));
/** Says "held", or why not. */
const TAKE = `const { takeStartLock } = await import(${MODULE});
  try {
    await takeStartLock(process.env, process.cwd());
    console.log("held");
    setInterval(() => {}, 1e6);
  } catch (error) {
    console.log(error.message);
  }`;

let folder: string;
let started: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-lock-"));
  started = [];
});

afterEach(async () => {
  for (const child of started) {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
  rmSync(folder, { recursive: true });
});

interface Taker {
  readonly child: ChildProcess;
  readonly said: string;
}

/** A process that asks for the folder, and what it said first. */
async function take(env: Record<string, string> = {}): Promise<Taker> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", TAKE], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  started.push(child);
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  return { child, said: said.toString().trimEnd() };
}

it("a second start over the same folder sees who has it, and what to set", async () => {
  const { child, said } = await take({ SLUICE_DATA_DIR: "data", SLUICE_PROXY_PORT: "12345" });
  expect(said).toBe("held");
  const second = await take({ SLUICE_DATA_DIR: "data" });
  expect(second.said).toBe(
    `npm start already runs over ${join(folder, "data")} (process ${child.pid ?? 0}, proxy 127.0.0.1:12345): ` +
      "stop that one first, or give this one a folder and ports of its own (SLUICE_DATA_DIR, SLUICE_PROXY_PORT and the others).",
  );
  expect(readdirSync(folder)).toEqual([]);
});

it("a second start may have a folder of its own", async () => {
  expect((await take({ SLUICE_DATA_DIR: "one" })).said).toBe("held");
  expect((await take({ SLUICE_DATA_DIR: "other" })).said).toBe("held");
});

it("a folder is the same by each of its names", async () => {
  mkdirSync(join(folder, "real"));
  symlinkSync(join(folder, "real"), join(folder, "link"));
  expect((await take({ SLUICE_DATA_DIR: "link/data" })).said).toBe("held");
  expect((await take({ SLUICE_DATA_DIR: join(folder, "real/data") })).said).toContain("already runs");
});

it("an empty variable means the folder that is used without one", async () => {
  expect((await take({ SLUICE_DATA_DIR: "" })).said).toBe("held");
  expect((await take()).said).toContain(`already runs over ${join(folder, ".sluice")} `);
});

it.each(["SIGKILL", "SIGTERM"] as const)(
  "a start that was ended by %s leaves nothing that keeps the next out",
  async (signal) => {
    const { child } = await take();
    child.kill(signal);
    await once(child, "exit");
    expect((await take()).said).toBe("held");
  },
);

it("a start that hangs still has its folder, and is not waited for", async () => {
  const { child } = await take();
  child.kill("SIGSTOP");
  const { said } = await take();
  expect(said).toContain(`npm start already runs over ${join(folder, ".sluice")}: stop that one first`);
});

it("one of many that start in the same moment gets the folder", async () => {
  const all = await Promise.all(Array.from({ length: 5 }, () => take()));
  expect(all.filter(({ said }) => said === "held")).toHaveLength(1);
});

it("a process that asks twice has the lock once, and the lock keeps no process alive", async () => {
  const script = `const { takeStartLock } = await import(${MODULE});
    await takeStartLock({}, process.cwd());
    await takeStartLock({}, process.cwd());
    console.log("held twice");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  started.push(child);
  expect(await text(child.stdout)).toBe("held twice\n");
});
