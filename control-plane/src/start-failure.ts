// Why the process does not start, and the exit code that says whether a restart alone could help.
import { UnfitFile } from "./files/regular-file.js";

/** Of a process that ends by itself; docs/operations.md, "Exit codes". */
export const EXIT = {
  /** It went wrong, and may go better another time. */
  failed: 1,
  /** A setting, or a file that one names, cannot be used: nothing changes until a person mends it (sysexits: EX_CONFIG). */
  config: 78,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What keeps the process from starting, in one sentence for the operator. */
export class StartFailure extends Error {
  constructor(
    message: string,
    readonly exit: ExitCode,
  ) {
    super(message);
  }
}

/** Of what the store could not do at the start. */
export const exitOf = (error: unknown): ExitCode => (error instanceof UnfitFile ? EXIT.config : EXIT.failed);
