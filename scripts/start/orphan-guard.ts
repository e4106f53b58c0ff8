// Starts the guard that ends our children when this process dies without stopping them, and names them to it.
import { spawn } from "node:child_process";
import { Socket } from "node:net";
import type { Writable } from "node:stream";
import { join } from "node:path";
import { projectRoot } from "../project-root.js";

let guard: Writable | undefined;

/** From now on the process group `pid` dies with this process, however that ends. */
export function watchOrphan(pid: number): void {
  guard ??= startGuard();
  guard.write(`watch ${pid}\n`);
}

/** The group has ended: its number may be given to another. */
export function forgetOrphan(pid: number): void {
  guard?.write(`forget ${pid}\n`);
}

function startGuard(): Writable {
  // A group of its own: Ctrl-C in the terminal must not reach it before its work is done.
  const child = spawn("/bin/sh", [join(projectRoot, "scripts/start/orphan-guard.sh")], {
    detached: true,
    // None of our secrets.
    env: { PATH: process.env.PATH },
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Without a guard the children still stop in every ordinary end; only a kill -9 would leave them.
  child.on("error", () => undefined);
  child.stdin.on("error", () => undefined);
  child.unref();
  // A pipe to a child is a socket here; alone it must not keep this process alive.
  if (child.stdin instanceof Socket) child.stdin.unref();
  return child.stdin;
}
