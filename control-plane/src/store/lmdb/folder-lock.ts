// One control plane a folder: LMDB would let a second one write too, and each would show its own view of what is durable.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LOCK_FILE = "control-plane.pid";

/** Takes the folder for this process until `release`. Throws where another process that runs has it. */
export function lockFolder(folder: string): { release(): void } {
  const file = join(folder, LOCK_FILE);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!taken(file)) {
    const holder = Number(readFileSync(file, "utf8"));
    if (isRunning(holder)) throw new Error(`process ${holder} uses it (if that is no control plane, remove ${file})`);
    rmSync(file, { force: true });
    if (!taken(file)) throw new Error(`another process has just taken it (${file})`);
  }
  return {
    release: () => {
      rmSync(file, { force: true });
    },
  };
}

function taken(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** A number of our own was left behind by a killed one: in a container every control plane has the same. */
function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
