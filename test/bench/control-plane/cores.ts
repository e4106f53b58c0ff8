// Which core runs what: the servers on one, the load on another, so that neither takes the other's time.
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

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
  const pinned = spawnSync("taskset", ["--all-tasks", "--pid", "--cpu-list", LOAD_CORE, String(process.pid)]);
  if (pinned.status !== 0) return { serverPrefix: [], note: "not pinned: taskset (util-linux) is not there" };
  return {
    serverPrefix: ["taskset", "--cpu-list", SERVER_CORE],
    note: `servers on core ${SERVER_CORE}, load on core ${LOAD_CORE}`,
  };
}
