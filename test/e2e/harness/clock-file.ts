// A wall clock that one process goes by, set in a file while it runs; its monotonic clock goes on as it is. By libfaketime.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findLibfaketime } from "../../../scripts/test/get-libfaketime.js";

export interface ClockFile {
  /** For the process whose clock it is to be; empty where there is no libfaketime. */
  readonly env: Readonly<Record<string, string>>;
  /** Why there is no libfaketime. */
  readonly missing: string | undefined;
  /** From now on it is ahead of the machine's by so many seconds. */
  ahead(seconds: number): void;
}

/** @param folder where the file is kept, for as long as the process runs */
export async function clockFileIn(folder: string): Promise<ClockFile> {
  const found = await findLibfaketime();
  const file = join(folder, "offset");
  const ahead = (seconds: number): void => {
    writeFileSync(file, `${seconds < 0 ? "" : "+"}${seconds}\n`);
  };
  ahead(0);
  if ("reason" in found) return { env: {}, missing: found.reason, ahead };
  const env = {
    LD_PRELOAD: found.library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    DONT_FAKE_MONOTONIC: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    NO_FAKE_STAT: "1",
  };
  return { env, missing: undefined, ahead };
}
