// Fleet budgets for tests of what keeps them.
import type { Stores } from "../../src/app/ports/stores.js";
import type { FleetBudget, Lease } from "../../src/domain/leases/fleet-budget.js";
import type { DecidingClock } from "../../src/domain/leases/store-life.js";
import { A, FAR, NOW_MS } from "./store-with-usage.js";

const LEASE: Lease = {
  ...{ ...A, ask: 7, unnumbered: false, untilMs: 5_000, pacedUntilMs: 2_000 },
  ...{ granted: { "": 4_000_000 }, outstanding: { "": 5_200_000 }, want: { "": 6_000_000 }, debtTaken: {} },
};

/** Of a plan with two further limits, at two instances: one owes, one was refused. */
export const SPENT: FleetBudget = {
  ...{ log: "5c0ffee", planId: 7, atMs: 2_000, wallMs: NOW_MS, frozenUntilMs: 0, forgottenAsk: 3 },
  levels: {
    "": { micro: -3, remainder: 2 },
    daily: { micro: 12, remainder: 0 },
    constructor: { micro: 1, remainder: 0 },
  },
  leases: [
    LEASE,
    {
      ...{ ...LEASE, ...FAR, ask: 1, unnumbered: true, at: 81_250, debtTaken: { daily: 9 } },
      refused: { bucket: "daily", untilMs: 2_050, need: 1_000_000, sinceMs: 1_900 },
    },
  ],
};

/** A clock at such a time, that of the store too, which is ahead of others by at most so much. */
export const clockAt = (ms: number, name: string, leads: Readonly<Record<string, number>> = {}): DecidingClock => ({
  ...{ name, ms, heardMs: ms, leads: new Map(Object.entries(leads)) },
});

/** With so much in its own bucket, and no leases. */
export const budgetWith = (micro: number): FleetBudget => ({
  ...SPENT,
  ...{ levels: { "": { micro, remainder: 0 } }, leases: [] },
});

export const microIn = (budget: FleetBudget | undefined): number => budget?.levels[""]?.micro ?? 0;

/** Raises the fleet clock of a store in its present life. Answers what it stands at. */
export async function raisedTo({ fleetTime }: Pick<Stores, "fleetTime">, ms: number): Promise<number> {
  const { log } = await fleetTime.read();
  return (await fleetTime.raise({ log, ms })).ms;
}
