// What each part of the benchmark gets: a folder of its own, and how thorough it shall be.
import { once } from "node:events";
import { join } from "node:path";
import { Stack } from "../../../scripts/start/stack.js";
import { install, type Installation, type InstallationOptions } from "./installation.js";
import type { FilterPath } from "./variants.js";

export interface Part {
  readonly quick: boolean;
  readonly filterPath: FilterPath;
  /** Of the whole run. */
  readonly folder: string;
  /** Prints one line of progress. */
  readonly say: (line: string) => void;
}

/** Runs something on an installation of its own, which is gone afterwards. */
export async function withInstallation<Result>(
  part: Part,
  name: string,
  options: Omit<InstallationOptions, "folder">,
  use: (installation: Installation) => Promise<Result>,
): Promise<Result> {
  const stack = new Stack();
  try {
    const installation = await install(stack, { folder: join(part.folder, name), ...options });
    const lost = once(stack.lost, "abort").then(() => {
      throw stack.lost.reason;
    });
    return await Promise.race([use(installation), lost]);
  } finally {
    await stack.stop();
  }
}
