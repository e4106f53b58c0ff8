// Spending from all limits of a plan that has several: from each that the request costs something, or from none. They lie
// in one set, so that one compare-and-swap writes them.
import { FLAG_BUDGET_SPENT } from "../../contract";
import {
  NO_LIMIT,
  denyingLimit,
  levelOf,
  putLevels,
  refillAll,
  spendAll,
  takeCosts,
  takeLevels,
  tightestLimit,
} from "../../domain/limits/buckets";
import { LimitTable } from "../../domain/limits/limit-table";
import { elapsedUsSince } from "../../domain/table/bucket";
import { hasFlag, noteSpent, refilledAtUsOf } from "../../domain/table/record";
import { Request } from "../state/request";
import { namedCosts } from "./named-costs";
import { noteLimitsDenial } from "./recent-denials";
import { consumedAtOnce } from "./reservation";
import { ALLOWED, BUDGET_SPENT, LIMITED, Verdict } from "./verdict";

/** Decides on the copies of a record and its annex, and spends in them if the outcome is ALLOWED. */
export function spendLimits(request: Request, limits: LimitTable, record: usize, annex: usize, verdict: Verdict): u32 {
  const planIndex = verdict.planIndex;
  const buckets = verdict.buckets;
  const cost = request.cost;
  takeCosts(buckets, limits, planIndex, cost, namedCosts(request.epoch, request.limitCosts));
  takeLevels(buckets, record, annex);
  refillAll(buckets, limits, planIndex, elapsedUsSince(refilledAtUsOf(record), verdict.readAtUs));
  if (hasFlag(record, FLAG_BUDGET_SPENT) && cost != 0) return decided(verdict, 0, BUDGET_SPENT);
  const denying = denyingLimit(buckets, limits, planIndex);
  if (denying != NO_LIMIT) {
    noteLimitsDenial(request, limits, denying, verdict);
    return decided(verdict, denying, LIMITED);
  }
  spendAll(buckets, limits, planIndex);
  putLevels(buckets, record, annex);
  noteSpent(record, consumedAtOnce(request), verdict.readAtUs);
  return decided(verdict, tightestLimit(buckets, limits, planIndex), ALLOWED);
}

function decided(verdict: Verdict, limit: u32, outcome: u32): u32 {
  verdict.limit = limit;
  verdict.levelPico = levelOf(verdict.buckets, limit);
  return outcome;
}
