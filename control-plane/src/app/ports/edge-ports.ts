// What edges say of themselves: with each watch for the whole edge, with each report for one worker.
import type { Instance } from "../../domain/stored.js";
import type { Violation } from "../../domain/policy/policy.js";

/** A policy that an edge has received, in whatever state: it need not run it. */
export interface ReceivedPolicy {
  /** The log of the control plane that it came from. */
  readonly log: string;
  readonly generation: number;
  readonly hash: string;
  /** `POLICY_OFFERED` and the like (contract.ts); a newer filter may say others. */
  readonly state: string;
  readonly violations: readonly Violation[];
}

export interface FilterSaid {
  readonly version: string;
  readonly build: string;
  /** Versions of policies that it can read. */
  readonly policyFormat: number;
}

export interface TableSaid {
  /** As the edge settings have it. Undefined: an older filter, which does not say. */
  readonly name?: string | undefined;
  readonly capacity: number;
  readonly records: number;
}

/** What one worker runs. */
export interface WorkerPolicy {
  /** `SOURCE_NONE` and the like (contract.ts); a newer filter may say others. */
  readonly source: string;
  /** 0 unless it came from a control plane. */
  readonly generation: number;
  /** Undefined where it runs none. */
  readonly hash: string | undefined;
}

/** A report as it counts for the registry. */
export interface Reported {
  /** Which worker of the instance reports; empty where an older filter does not say. */
  readonly worker: string;
  readonly more: boolean;
  /** Monotonic: it says nothing of what came after. */
  readonly arrivedAtMs: number;
  /** Which build of the filter it runs. */
  readonly build?: string | undefined;
  readonly policy?: WorkerPolicy | undefined;
}

/** The report of a worker beside its report before. Times are monotonic ms. */
export interface WorkerReport extends Instance {
  /** Its first report. */
  readonly knownSinceMs: number;
  readonly arrivedAtMs: number;
  readonly ranBefore: WorkerPolicy | undefined;
  readonly runs: WorkerPolicy | undefined;
}
