// Takes the data folder for this npm start alone: by the lock that bootstrap.mjs takes before it builds anything.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Failure } from "../failure.js";
import { projectRoot } from "../project-root.js";

/** scripts/start/start-lock.mjs, which is not compiled. */
interface StartLock {
  readonly takeStartLock: (env: Readonly<Record<string, string | undefined>>, root: string) => Promise<void>;
}

/** @throws Failure where another one has it. Does nothing where this process has it already. */
export async function requireAlone(): Promise<void> {
  const module = pathToFileURL(join(projectRoot, "scripts/start/start-lock.mjs")).href;
  const { takeStartLock } = (await import(module)) as StartLock;
  try {
    await takeStartLock(process.env, projectRoot);
  } catch (error) {
    throw new Failure(error instanceof Error ? error.message : String(error));
  }
}
