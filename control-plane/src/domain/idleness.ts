// When a session is idle for too long, over many edges (docs/edge-protocol.md, "Idle expiry over many edges").
import { SWEEP_ROUND_TICKS, TICK_MS } from "../../../assembly/contract.js";
import { planById } from "./plan.js";
import type { PlanOfPolicy, PlansOfPolicy } from "./plan.js";
import type { Session } from "./session.js";
import { instanceKey } from "./stored.js";
import type { Instance } from "./stored.js";

/** What an edge may be late with: two reports, and one round of its leader's sweep, which finds what was forgotten. */
export function graceMs(policy: PlansOfPolicy): number {
  return 2 * policy.controlPlane.reportInterval + SWEEP_ROUND_TICKS * TICK_MS;
}

/** Idle for longer than this, ms, a session of the plan ends. */
export function idleLimitMs(policy: PlansOfPolicy, plan: PlanOfPolicy): number {
  return plan.maxAge + graceMs(policy);
}

/** current: all it spent until a grace ago is known. behind: it may have admitted requests that are not known of. */
export type InstanceStatus = "current" | "behind" | "gone";

/** How instances stood at one moment. */
export interface InstanceStatuses {
  /** By `instanceKey`. */
  readonly known: ReadonlyMap<string, InstanceStatus>;
  /** Of all others. */
  readonly others: InstanceStatus;
}

/** The moment at which it is decided whether sessions are idle. */
export interface IdleMoment {
  /** Undefined: none is idle. */
  readonly policy: PlansOfPolicy | undefined;
  /** ms since a stored time, whatever the wall clock did meanwhile. */
  readonly elapsedMs: (sinceMs: number) => number;
  /** For how long this process has been listening: edges went on while it was down, so nothing is idle for longer. */
  readonly listeningMs: number;
}

/** By what is known of it. A session whose plan the policy lost has no idle limit. */
export function isPastIdleLimit(session: Session, { policy, elapsedMs, listeningMs }: IdleMoment): boolean {
  const plan = policy && planById(policy, session.plan.id);
  if (policy === undefined || plan === undefined) return false;
  return Math.min(elapsedMs(session.lastActivity), listeningMs) > idleLimitMs(policy, plan);
}

/** While an instance that holds the session is behind, it is not idle. */
export function isIdle(
  session: Session,
  holders: readonly Instance[],
  moment: IdleMoment,
  { known, others }: InstanceStatuses,
): boolean {
  if (!isPastIdleLimit(session, moment)) return false;
  return holders.every((holder) => (known.get(instanceKey(holder)) ?? others) !== "behind");
}
