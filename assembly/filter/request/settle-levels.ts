// What settling does to the copies of a record and its annex.
import { BUCKETS_BYTES, levelOf, putLevels, refillAll, setLevelOf, takeLevels } from "../../domain/limits/buckets";
import { Plan } from "../../domain/policy/model";
import { annexNumberOf, levelAtOf, noteSpent, refilledAtUsOf, remainderAtOf } from "../../domain/table/record";
import { annexWith } from "../../domain/table/annex";
import { dropOverLease } from "../../domain/table/lease";
import { elapsedUsSince, refill, toPico } from "../../domain/table/bucket";
import { settledLevel } from "../../domain/usage/settled-level";
import { Epoch } from "../state/epoch";
import { SettleNote } from "../state/settle-notes";

const buckets: usize = memory.data(BUCKETS_BYTES, 8);

/**
 * Moves the level of the note's limit by what `cost` differs from the reservation, and counts as consumed what was
 * reserved from the plan's own bucket. False: the record's levels are of other limits now.
 */
export function settleInCopy(
  epoch: Epoch,
  set: usize,
  record: usize,
  planIndex: u32,
  note: SettleNote,
  cost: u32,
  nowUs: u64,
): bool {
  const limits = epoch.limitsBeside(planIndex);
  const consumed = note.limit == 0 ? cost : 0;
  const elapsedUs = elapsedUsSince(refilledAtUsOf(record), nowUs);
  if (annexNumberOf(record) == 0) {
    // Also where the plan has got limits since: the session's next request makes them an annex.
    if (note.limit != 0) return false;
    settleOwn(record, unchecked(epoch.policy.plans[planIndex]), elapsedUs, note.reserved, cost);
    noteSpent(record, consumed, nowUs);
    return true;
  }
  // The annex is of limits that the plan had: their levels are of `refilledAt` until an answer drops them.
  if (limits === null) return false;
  const annex = annexWith(set, record, limits.tagOf(planIndex));
  if (annex == 0) return false;
  // The plan's own bucket is the same whatever stands beside it.
  if (note.limit != 0 && limits.tagOf(planIndex) != note.tag) return false;
  const isFleet = limits.isFleet(planIndex);
  if (isFleet) dropOverLease(record, annex, nowUs);
  takeLevels(buckets, record, annex);
  refillAll(buckets, limits, planIndex, elapsedUs);
  const limit: u32 = note.limit;
  const capacity = limits.limitOf(planIndex, limit).capacity;
  // What a lease did not need goes back to the budget, never to the lease: that may be another one by now.
  const reserved = isFleet ? min(note.reserved, cost) : note.reserved;
  const settled = settledLevel(levelOf(buckets, limit), capacity, reserved, cost);
  setLevelOf(buckets, limit, settled, settled == capacity && !isFleet);
  putLevels(buckets, record, annex);
  noteSpent(record, consumed, nowUs);
  return true;
}

function settleOwn(record: usize, plan: Plan, elapsedUs: u64, reserved: u32, cost: u32): void {
  const capacity = toPico(plan.maxTokens);
  const levelAt = levelAtOf(record);
  const remainderAt = remainderAtOf(record);
  const level = refill(levelAt, remainderAt, elapsedUs, plan.ratePico, plan.rateUs, capacity);
  const settled = settledLevel(level, capacity, reserved, cost);
  store<i64>(levelAt, settled);
  if (settled == capacity) store<u16>(remainderAt, 0);
}
