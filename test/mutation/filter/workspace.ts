// A copy of the repository below build, in which one file of the filter is changed, built and tested at a time.
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const COPIED = ["assembly", "control-plane", "envoy", "scripts", "test", "build/validator"];
const FILES = ["package.json", "tsconfig.json", "asconfig.json", "as-pect.asconfig.json", "as-pect.config.js"];
const MORE_FILES = ["vitest.config.ts", "policy.yaml", "envoy.yaml", "build/sluice.wasm", "build/sluice-lean.wasm"];
const LINKED = ["node_modules", ".cache"];

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
      let outcome: Outcome | undefined;
      const timer = setTimeout(() => {
        outcome = "timed out";
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      }, timeoutMs);
      child.on("error", fail);
      child.on("exit", (code) => {
        clearTimeout(timer);
        done(outcome ?? (code === 0 ? "passed" : "failed"));
      });
    });
  }
}
