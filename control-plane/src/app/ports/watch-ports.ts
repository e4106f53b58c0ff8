// Watching edges: what they say with each watch, what they are answered, and what is counted about it.
import type { Instance, LogPosition } from "../../domain/stored.js";
import type { FilterSaid, ReceivedPolicy, TableSaid } from "./edge-ports.js";
import type { PublishedPolicy } from "./policy-ports.js";

export interface WatchRequest extends Instance {
  /** The log that the edge follows; undefined while it follows none. */
  readonly log: string | undefined;
  /** Number of the entry up to which its table is marked. */
  readonly since: number;
  /** False: the policy in its settings holds for good. */
  readonly follow: boolean;
  /** What it has received; undefined before the first. */
  readonly policy: ReceivedPolicy | undefined;
  /** Undefined: an older filter, which takes no policy on this call. */
  readonly filter: FilterSaid | undefined;
  readonly table: TableSaid | undefined;
  /** Where the call came from, as far as can be seen; undefined: not known. */
  readonly address: string | undefined;
  /** What time the edge's clock showed, ms since the epoch. Undefined: an older filter, which does not say. */
  readonly wallMs: number | undefined;
}

/** Session ids that were invalidated; or `reset`: begin anew at the position, for what lies between is not known. */
export type WatchAnswer =
  (LogPosition & { readonly revoked: string[]; readonly refresh: string[] }) | (LogPosition & { readonly reset: true });

/** A policy, and nothing else: the edge's cursor stays where it is. */
export interface PolicyOffer {
  readonly log: string;
  readonly policy: PublishedPolicy;
  /** Over how many ms the edge's workers spread the reports that say that they run it. */
  readonly reportSpreadMs: number;
}

/** busy: nothing to say, and no room to hold the call until there is. */
export type Watched =
  | { readonly outcome: "answered"; readonly answer: WatchAnswer }
  | { readonly outcome: "policy"; readonly offer: PolicyOffer }
  | { readonly outcome: "busy" };

/** What a watch came to. idle: held to its end; replaced: by a newer one of the same instance. */
export type WatchOutcome =
  "policy" | "first" | "entries" | "reset" | "idle" | "replaced" | "gone" | "stopping" | "busy";

export interface WatchMeter {
  watchEnded(outcome: WatchOutcome): void;
  /** From a revocation's commit to the edge's confirmation that its table is marked, ms. */
  propagated(ms: number): void;
}
