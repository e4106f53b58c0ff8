// What must hold after each command of a fleet's life, as operators are shown it.
import { expect } from "vitest";

import { showUsage } from "../../src/app/sessions/show-usage.js";
import { amountIn } from "../../src/domain/leases/amounts.js";
import { bucketsOfPlan } from "../../src/domain/leases/exact-level.js";
import { ROUNDED } from "./fleet-life-bound.js";
import type { FleetLife } from "./fleet-life.js";
import { FROZEN_MS } from "./fleet-life-model.js";
import type { FleetModel, FleetSession } from "./fleet-life-model.js";

const MICRO = 1_000_000;

/** Whatever each edge spends now of what it has, no window of the fleet clock has admitted too much. */
export function expectWithinBound(model: FleetModel, life: FleetLife): void {
  for (const session of model.sessions) {
    const plan = model.planOf(session);
    if (plan === undefined) continue;
    session.bound.fill(plan, life.fleetMs());
    for (const name of bucketsOfPlan(plan).keys()) {
      const held = session.heldIn(name, life.clock.monotonicMs());
      if (held > 0) expect(session.bound.leftIn(name) - held, `held in "${name}"`).toBeGreaterThanOrEqual(-ROUNDED);
    }
  }
}

/** What is left and what is out is at most what the bucket holds, and nobody is promised what others have. */
export async function expectShown(model: FleetModel, life: FleetLife, nth: number): Promise<void> {
  for (const session of model.sessions) {
    const usage = await showUsage(life.portsOf(nth), session.id, null);
    if (model.gone.has(session)) expect(usage?.fleet).toBeUndefined();
    else if (model.planOf(session)?.scope === "fleet") expectBuckets(usage?.fleet, session, life);
    else expect(usage).not.toHaveProperty("fleet");
    expect(usage?.direct ?? 0).toBe(model.gone.has(session) ? 0 : session.kept.consumed);
  }
}

type Shown = NonNullable<Awaited<ReturnType<typeof showUsage>>>["fleet"];

function expectBuckets(fleet: Shown, session: FleetSession, life: FleetLife): void {
  if (fleet === undefined) throw new Error("no budget is shown");
  const isFrozen = session.isOlder && life.fleetMsOfLife() < life.beganMs + FROZEN_MS;
  for (const { name, capacity, level, outstanding } of fleet.buckets) {
    expect(outstanding).toBeGreaterThanOrEqual(0);
    if (level > 0) expect(level + outstanding, `what "${name}" holds`).toBeLessThanOrEqual(capacity + 1e-9);
    const ofLeases = fleet.leases.reduce((sum, lease) => sum + amountIn(lease.outstanding, name), 0);
    expect(ofLeases).toBeCloseTo(outstanding, 5);
    const held = session.heldIn(name, life.clock.monotonicMs());
    // But for what a former life of the store leased and lost: until that has ended, nothing is granted.
    if (!isFrozen) expect(held, `held of "${name}" is out`).toBeLessThanOrEqual(outstanding * MICRO + ROUNDED);
    if (level <= 0) continue;
    const most = session.bound.leftIn(name) + ROUNDED;
    expect(level * MICRO + held, `left of "${name}", and held`).toBeLessThanOrEqual(most);
  }
}
