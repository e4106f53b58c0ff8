// A copy of the repository below build, in which one file of the filter is changed, built and tested at a time.
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const COPIED = ["assembly", "control-plane", "envoy", "scripts", "test", "build/validator"];
const FILES = ["package.json", "tsconfig.json", "asconfig.json", "as-pect.asconfig.json", "as-pect.config.js"];
const MORE_FILES = [
  "vitest.config.ts",
  "policy.yaml",
  "envoy.yaml",
  "build/sluice.wasm",
  "build/sluice-lean.wasm",
  "build/sluice-settle.wasm",
];
const LINKED = ["node_modules", ".cache"];

/** Process groups that run: no signal of the terminal reaches them, so they would outlive this process. */
const running = new Set<number>();
process.on("exit", () => {
  for (const group of running) killGroup(group);
});

export type Outcome = "passed" | "failed" | "timed out";

export class Workspace {
  private constructor(readonly folder: string) {}

  static create(folder: string): Workspace {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(join(folder, "build"), { recursive: true });
    for (const path of [...COPIED, ...FILES, ...MORE_FILES]) cpSync(path, join(folder, path), { recursive: true });
    for (const path of LINKED) symlinkSync(resolve(path), join(folder, path));
    return new Workspace(resolve(folder));
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs Node. A mutant may loop for ever, so the whole process group ends with the time. */
  run(args: readonly string[], timeoutMs: number): Promise<Outcome> {
    const child = spawn(process.execPath, args, { cwd: this.folder, stdio: "ignore", detached: true });
    return new Promise((done, fail) => {
      const { pid } = child;
      if (pid !== undefined) running.add(pid);
      let outcome: Outcome | undefined;
      const timer = setTimeout(() => {
        outcome = "timed out";
        if (pid !== undefined) killGroup(pid);
      }, timeoutMs);
      child.on("error", fail);
      child.on("exit", (code) => {
        clearTimeout(timer);
        if (pid !== undefined) running.delete(pid);
        done(outcome ?? (code === 0 ? "passed" : "failed"));
      });
    });
  }
}

function killGroup(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}
