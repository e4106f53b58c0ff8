// A control plane with a plan that ends idle sessions, its sweep, and the times by which a session is idle.
import { sweepSessions } from "../../src/app/upkeep/sweep-sessions.js";
import { INSTANCE, shown, startTestControlPlane } from "./control-plane.js";
import type { TestControlPlane } from "./control-plane.js";
import { HOUR_MS, METERED, STARTER } from "./sessions.js";

export const MINUTE_MS = 60_000;
export const MAX_AGE_MS = 10 * MINUTE_MS;
/** 2 × reportInterval (5 s) and one sweep round (10 s). */
export const GRACE_MS = 20_000;
export const LIMIT_MS = MAX_AGE_MS + GRACE_MS;
export const GONE_MS = 5 * MINUTE_MS;
export const EDGE = { edge: "gw-1", instance: INSTANCE };

export async function planeWithIdlePlan(): Promise<TestControlPlane> {
  const plane = await startTestControlPlane();
  plane.setPlans({ ...STARTER, maxAge: MAX_AGE_MS }, METERED);
  return plane;
}

/** A control plane that has been listening for as long as a session must be idle. */
export async function settledPlane(): Promise<TestControlPlane> {
  const plane = await planeWithIdlePlan();
  plane.clock.advance(HOUR_MS);
  return plane;
}

export const sweep = (plane: TestControlPlane) => sweepSessions(plane.ports, () => false);

/** Whether the session is live or has ended, once the sweep has looked. */
export async function stateAfterSweep(plane: TestControlPlane, id: string): Promise<string> {
  await sweep(plane);
  return (await shown(plane, id)).state;
}
