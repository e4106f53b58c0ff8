// An ask for a lease, when it is decided, and what is known of a session: as most tests of the rules have them.
import { LEASE_GRACE_MS, LEASE_TTL_MS } from "../../../../assembly/contract.js";
import type { Moment } from "../../../src/domain/leases/clock-lead.js";
import { decideLease } from "../../../src/domain/leases/decide-lease.js";
import type { FleetBudget } from "../../../src/domain/leases/fleet-budget.js";
import type { LeaseAsk, LeaseDecision, LeaseMoment } from "../../../src/domain/leases/lease-ask.js";
import { levelsNowOfBudget } from "../../../src/domain/leases/shown-budget.js";
import type { Figures, UsageRow } from "../../../src/domain/stored.js";
import { clockAt } from "../../support/fleet-budgets.js";
import { MICRO, planOf } from "./lease-world.js";

export const plan = planOf(100, 10);
export const LIFE_MS = LEASE_TTL_MS + LEASE_GRACE_MS;
export const A = { edge: "a", instance: "1" };
export const B = { edge: "b", instance: "1" };

export const WISH = { cost: { "": MICRO }, want: { "": 40 * MICRO } };
export const asked = (of: Partial<LeaseAsk> = {}): LeaseAsk => ({
  ...{ ...A, ask: 0, at: 7000, applied: 0, left: {}, back: {}, settled: {} },
  ...{ ...WISH, ...of },
});
export const at = (fleetMs: number, of: Partial<LeaseMoment> = {}): LeaseMoment => ({
  ...{ log: "one", fleetMs, wallMs: fleetMs, plan, rows: [], by: clockAt(fleetMs, "one"), ...of },
});
export const oneAt = (fleetMs: number): Moment => ({ fleetMs, by: clockAt(fleetMs, "one") });
export const levelOf = (budget: FleetBudget, fleetMs = 0): number =>
  (levelsNowOfBudget(budget, plan, oneAt(fleetMs)).buckets[0]?.level ?? NaN) / MICRO;

/** Granted 40 of 100 to `A`. */
export const first = (): LeaseDecision => decideLease(undefined, asked(), at(0));
export const FIRST = 4096;

const figures = (of: Partial<Figures>): Figures => ({
  ...{ rev: 1, consumed: 1, levelMicro: 0, atMs: 0, reportedAtMs: 0, ...of },
});
export const row = (edge: string, of: Partial<Figures>): UsageRow => ({ edge, instance: "1", figures: figures(of) });
