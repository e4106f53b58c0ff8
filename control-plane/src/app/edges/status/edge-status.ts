// The state of an edge by what it and its workers last said, against the policy that it is to run. Pure.
import { POLICY_OK, POLICY_REJECTED, POLICY_TRAPPED } from "../../../../../assembly/contract.js";
import type { PublishedPolicy } from "../../ports/policy-ports.js";
import type { KnownInstance } from "./registry-entry.js";
import type { ReceivedPolicy } from "../../ports/edge-ports.js";

/**
 * The worst first: with several instances, as in a hot restart, an edge is in the first of these that one of them is in.
 *
 * - rejected: it found violations in the published policy, and runs the one before.
 * - trapped: the published policy ended the filter's VM that tried it; it runs the one before.
 * - behind: for longer than the window it has not taken the published policy, or a worker runs another.
 * - waiting: it is taking the published policy, and has had less time than the window. So is one that was there before
 *   this process, until it calls.
 * - olderFilter: its filter takes no policy on this call.
 * - notFollowing: by its settings it runs their policy for good.
 * - current: it has taken the published policy, and every worker that spoke within the window runs that.
 * - silent: it does not watch, and had no contact within the window; only where all its instances are.
 */
export const EDGE_STATES = [
  "rejected",
  "trapped",
  "behind",
  "waiting",
  "olderFilter",
  "notFollowing",
  "current",
  "silent",
] as const;
export type EdgeState = (typeof EDGE_STATES)[number];

export interface StatusParts {
  /** Undefined while no policy is loaded. */
  readonly published: PublishedPolicy | undefined;
  /** The control plane's log. */
  readonly log: string;
  /** Within which every worker that is alive has spoken. */
  readonly windowMs: number;
  /** Monotonic. */
  readonly nowMs: number;
}

export function edgeState(instances: readonly KnownInstance[], parts: StatusParts): EdgeState {
  const states = new Set(instances.map((instance) => instanceState(instance, parts)));
  return EDGE_STATES.find((state) => states.has(state)) ?? "silent";
}

export function instanceState(instance: KnownInstance, parts: StatusParts): EdgeState {
  const { watching, silentMs, lastWatch, isAwaited } = instance;
  if (!watching && silentMs > parts.windowMs) return "silent";
  // What it last reported to an earlier process need not be so any more.
  if (isAwaited) return "waiting";
  if (lastWatch !== undefined && lastWatch.filter === undefined) return "olderFilter";
  if (lastWatch?.follow === false) return "notFollowing";
  const result = resultOf(lastWatch?.policy, parts);
  if (result === POLICY_REJECTED) return "rejected";
  if (result === POLICY_TRAPPED) return "trapped";
  return progress(instance, result === POLICY_OK, parts);
}

/** The result of the published policy at the edge; undefined where it has not received it. */
function resultOf(received: ReceivedPolicy | undefined, { published, log }: StatusParts): string | undefined {
  return received?.log === log && received.generation === published?.generation ? received.state : undefined;
}

/** For how long the edge and each worker may take counts from when the policy was there for them to take. */
function progress(instance: KnownInstance, taken: boolean, parts: StatusParts): EdgeState {
  const { published, windowMs, nowMs } = parts;
  if (published === undefined) return "waiting";
  const hadMs = nowMs - published.sinceMs;
  let state: EdgeState = "current";
  if (!taken) state = Math.min(hadMs, instance.knownMs) > windowMs ? "behind" : "waiting";
  for (const { reportedAtMs, runs, runsSinceMs } of instance.workers.values()) {
    const counts = nowMs - reportedAtMs <= windowMs && runs !== undefined && runs.hash !== published.hash;
    if (!counts) continue;
    if (Math.min(hadMs, nowMs - runsSinceMs) > windowMs) return "behind";
    if (state === "current") state = "waiting";
  }
  return state;
}
