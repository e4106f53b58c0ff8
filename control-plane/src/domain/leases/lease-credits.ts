// What an ask says of the tokens that were out: what is kept there, what comes back, and what is owed.
import { amountIn, amountsOf, lives, NOTHING, outstandingIn, plus } from "./amounts.js";
import { bucketsOfPlan, credited, debited, roomOf } from "./exact-level.js";
import type { Amounts, FleetBudget, Lease } from "./fleet-budget.js";
import type { LeaseAsk, LeaseMoment } from "./lease-ask.js";

/** The budget after what an ask says. The asker's lease holds what it keeps, and nothing else. */
export interface Credited {
  readonly budget: FleetBudget;
  /** Of what the edge has left, what its lease covers. */
  readonly kept: Amounts;
  /** False: it has more than its lease covers, so the lease may not be made longer. */
  readonly isCovered: boolean;
  readonly debtTaken: Amounts;
  readonly voided: Amounts;
  readonly returned: Amounts;
  readonly spent: Amounts;
}

/**
 * Nothing is credited that was not outstanding, nor while the budget is frozen: then it counts as spent.
 * @param budget at the moment of the ask
 * @param known the asker's lease in it; undefined where it has none. Its number is below the ask's.
 */
export function withCredits(
  budget: FleetBudget,
  known: Lease | undefined,
  ask: LeaseAsk,
  { plan, by }: Pick<LeaseMoment, "plan" | "by">,
): Credited {
  const others = budget.leases.filter((lease) => lease !== known);
  const isFrozen = budget.atMs < budget.frozenUntilMs;
  const isAlive = known !== undefined && lives(known, budget.atMs);
  const outstanding = isAlive ? known.outstanding : NOTHING;
  // The record was marked anew before the answer to that ask came: it will never be taken.
  const isVoid = known !== undefined && ask.ask !== 0 && ask.applied < known.ask;
  const undone = (amounts: Amounts): Amounts => (isVoid && !isFrozen ? amounts : NOTHING);
  const names = new Set([...Object.keys(outstanding), ...Object.keys(ask.left), ...bucketsOfPlan(plan).keys()]);
  const leftIn = (name: string): number => Math.max(0, amountIn(ask.left, name));
  const voided = isVoid && isAlive ? known.granted : NOTHING;
  const reached = amountsOf(names, (name) => amountIn(outstanding, name) - amountIn(voided, name));
  const kept = amountsOf(names, (name) => Math.min(leftIn(name), amountIn(reached, name)));
  const gone = amountsOf(names, (name) => amountIn(reached, name) - amountIn(kept, name));
  const returned = isFrozen
    ? NOTHING
    : amountsOf(names, (name) => Math.min(Math.max(0, amountIn(ask.back, name)), amountIn(gone, name)));
  // A refund counts once: only where the number tells this ask from a copy of it.
  const settled = known === undefined || isFrozen ? NOTHING : ask.settled;
  const back = plus(plus(undone(voided), undone(known?.debtTaken ?? NOTHING)), plus(returned, settled));

  const at = { fleetMs: budget.atMs, by };
  const levels = { ...budget.levels };
  const debts = new Map<string, number>();
  for (const [name, limits] of bucketsOfPlan(plan)) {
    const before = levels[name];
    if (before === undefined) continue;
    const room = roomOf(limits, outstandingIn(others, name) + amountIn(kept, name));
    const more = credited(before, Math.max(0, amountIn(back, name)), limits, { room, at });
    levels[name] = debited(more, Math.max(0, -amountIn(ask.left, name)), limits);
    debts.set(name, more.micro - levels[name].micro);
  }
  return {
    budget: { ...budget, levels, leases: others },
    ...{ kept, returned, voided: undone(voided) },
    isCovered: [...names].every((name) => leftIn(name) <= amountIn(reached, name)),
    debtTaken: Object.fromEntries(debts),
    spent: amountsOf(names, (name) => amountIn(gone, name) - amountIn(returned, name)),
  };
}
