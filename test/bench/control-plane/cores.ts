// Which core runs what: the servers on one, the load on another, so that neither takes the other's time.
import { availableParallelism } from "node:os";
import { pinned } from "../stand/cores.js";

const SERVER_CORE = "0";
const LOAD_CORE = "1";

export interface Cores {
  /** Put in front of a server's command line. */
  readonly serverPrefix: readonly string[];
  /** What a reader of the figures must know. */
  readonly note: string;
}

/** Puts this process on the load's core, and says how servers get on theirs. */
export function shareCores(): Cores {
  if (availableParallelism() < 2) return { serverPrefix: [], note: "not pinned: there is one core" };
  if (!pinned(LOAD_CORE)) return { serverPrefix: [], note: "not pinned: taskset (util-linux) is not there" };
  return {
    serverPrefix: ["taskset", "--cpu-list", SERVER_CORE],
    note: `servers on core ${SERVER_CORE}, load on core ${LOAD_CORE}`,
  };
}
