// The issuers' file, from the start on: read, or what keeps the process from starting.
import { IssuersInForce, NO_ISSUERS, NoIssuersError } from "./app/access/issuers.js";
import type { IssuersReading, ObservedIssuers } from "./app/access/issuers.js";
import type { Timers } from "./app/ports/log-ports.js";
import type { Logger } from "./app/ports/ports.js";
import { MAX_ISSUERS_BYTES, readIssuers } from "./domain/issuers/read-issuers.js";
import { followedFile } from "./files/followed-file.js";
import type { FileReader } from "./files/file-reader.js";
import type { Settings } from "./settings/settings.js";
import { EXIT, StartFailure } from "./start-failure.js";
import type { Started } from "./started.js";

interface IssuersStart {
  readonly settings: Pick<Settings, "issuersPath" | "taken">;
  readonly files: { readonly issuers: FileReader };
  readonly timers: Timers;
  readonly log: Logger;
  readonly started: Started;
}

/** @throws StartFailure where the file cannot be used: what was in force before is not known */
export async function startIssuers({
  settings,
  files,
  timers,
  log: logger,
  started,
}: IssuersStart): Promise<ObservedIssuers> {
  const { issuersPath: path, taken } = settings;
  if (path === undefined) return NO_ISSUERS;
  const source = followedFile({ path, maxBytes: MAX_ISSUERS_BYTES, reader: files.issuers, timers });
  const validate = (text: string | Uint8Array): IssuersReading => readIssuers(text, taken);
  try {
    const issuers = await IssuersInForce.start({ source, validate, logger });
    started.add(() => {
      issuers.stop();
    });
    return issuers;
  } catch (error) {
    if (error instanceof NoIssuersError) throw new StartFailure(`SLUICE_ISSUERS_FILE: ${error.message}`, EXIT.config);
    throw error;
  }
}
