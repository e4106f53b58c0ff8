// When a session is idle for too long, over many edges (docs/edge-protocol.md, "Idle expiry over many edges").
import { SWEEP_ROUND_TICKS, TICK_MS } from "../../../assembly/contract.js";
import type { PlanOfPolicy, PlansOfPolicy } from "./plan.js";

/** What an edge may be late with: two reports, and one round of its leader's sweep, which finds what was forgotten. */
export function graceMs(policy: PlansOfPolicy): number {
  return 2 * policy.controlPlane.reportInterval + SWEEP_ROUND_TICKS * TICK_MS;
}

/** Idle for longer than this, ms, a session of the plan ends. */
export function idleLimitMs(policy: PlansOfPolicy, plan: PlanOfPolicy): number {
  return plan.maxAge + graceMs(policy);
}
