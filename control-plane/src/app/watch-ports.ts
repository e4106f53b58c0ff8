// Watching edges: what they say with each watch, what they are told, and what is counted about it.
import type { LogPosition } from "./ports.js";
import type { Instance } from "./usage-ports.js";

export interface WatchRequest extends Instance {
  /** The log that the edge follows; undefined while it follows none. */
  readonly log: string | undefined;
  /** Number of the entry up to which its table is marked. */
  readonly since: number;
  /** Of the policy that the filter runs. */
  readonly generation: number;
  /** Of the bytes of that policy. */
  readonly policyHash: string;
}

/** Session ids that were withdrawn; or `reset`: begin anew at the position, for what lies between is not known. */
export type WatchAnswer =
  (LogPosition & { readonly revoked: string[]; readonly refresh: string[] }) | (LogPosition & { readonly reset: true });

/** busy: nothing to say, and no room to hold the call until there is. */
export type Watched = { readonly outcome: "answered"; readonly answer: WatchAnswer } | { readonly outcome: "busy" };

/** What a watch came to. idle: held to its end; replaced: a newer one of the same instance took its place. */
export type WatchOutcome = "first" | "entries" | "reset" | "idle" | "replaced" | "gone" | "stopping" | "busy";

export interface WatchMeter {
  watchEnded(outcome: WatchOutcome): void;
  /** From a revocation's commit to the edge's word that its table is marked, ms. */
  propagated(ms: number): void;
}
