// The rules by which requests settle what they really cost, each taken out by itself.
import { filter, without, type Mutation } from "./mutation.js";

const SETTLE = filter("request/settle");
const LEVELS = filter("request/settle-levels");
const NOTES = filter("state/settle-notes");
const LOST = filter("request/lost-notes");
const RESERVATION = filter("request/reservation");
const LEVEL = "assembly/domain/usage/settled-level.ts";
const COST = "assembly/domain/usage/settled-cost.ts";
const NO_ANNEX = "if (annexNumberOf(record) == 0) {";
const ENDED = "if (!isLive(record) || isPastEnd(record, nowUs)) return SETTLEMENT_ENDED;";

const RULES_OF_LEVELS: readonly Mutation[] = [
  without(
    "limits are refilled before one of them is settled",
    LEVELS,
    "  refillAll(buckets, limits, planIndex, elapsedUs);\n",
  ),
  without(
    "a bucket is refilled before it is settled",
    LEVELS,
    "elapsedUs, note.reserved, cost)",
    "0, note.reserved, cost)",
  ),
  without("a refund never fills a bucket above what it holds", LEVEL, "back >= room ? capacityPico : "),
  without(
    "a debt is never more than the bucket",
    LEVEL,
    "  if (tokens > room / <u64>PICO_PER_TOKEN) return -capacityPico;\n",
  ),
  without(
    "a bucket that a refund fills has no remainder",
    LEVELS,
    "  if (settled == capacity) store<u16>(remainderAt, 0);\n",
  ),
  without("a limit that a refund fills has no remainder", LEVELS, "settled == capacity && !isFleet)", "false)"),
  without("part of a token is charged as one", COST, "(costMicro + MICRO - 1) / MICRO", "costMicro / MICRO"),
  without(
    "a cost that no bucket could pay is none",
    COST,
    "return cost > MAX_COST ? COST_TOO_LARGE : cost;",
    "return cost;",
  ),
  without(
    "what says no cost keeps the reservation",
    SETTLE,
    "if (found == COST_TOO_LARGE) outcome = SETTLEMENT_INVALID;\n    else cost",
    "cost",
  ),
  without(
    "time in a record never goes back",
    "assembly/domain/table/record.ts",
    "if (nowUs > refilledAtUsOf(record)) ",
  ),
];

const RULES_OF_RECORDS: readonly Mutation[] = [
  without(
    "only limits that were reserved from are settled",
    LEVELS,
    "  if (note.limit != 0 && limits.tagOf(planIndex) != note.tag) return false;\n",
  ),
  {
    rule: "only an annex of the plan's limits is settled",
    replacements: [
      { file: LEVELS, find: "import { annexWith }", by: "import { annexOf }" },
      { file: LEVELS, find: "annexWith(set, record, limits.tagOf(planIndex))", by: "annexOf(set, record)" },
    ],
  },
  without(
    "a record without further levels settles no further limit",
    LEVELS,
    "    if (note.limit != 0) return false;\n",
  ),
  without(
    "a record without further levels settles its own",
    LEVELS,
    NO_ANNEX,
    "if (annexNumberOf(record) == 0 && limits === null) {",
  ),
  without(
    "levels of limits that are gone are not moved on",
    LEVELS,
    NO_ANNEX,
    "if (annexNumberOf(record) == 0 || limits === null) {",
  ),
  without("only the plan that was reserved from is settled", SETTLE, " || recordPlanIdOf(record) != note.planId"),
  without("a plan that is not in force is not settled", SETTLE, "planIndex < 0 || recordPlanIdOf", "recordPlanIdOf"),
  without(
    "a session that has ended is not settled",
    SETTLE,
    ENDED,
    "if (isPastEnd(record, nowUs)) return SETTLEMENT_ENDED;",
  ),
  without("a session past its end is not settled", SETTLE, ENDED, "if (!isLive(record)) return SETTLEMENT_ENDED;"),
  without(
    "a reservation that cannot be settled is consumed",
    SETTLE,
    "      if (!isOwn) return outcome;\n      // Then the reservation was the cost: it is consumed now.\n      noteConsumed(record, note.reserved);\n",
    "      return outcome;\n",
  ),
  without(
    "what is consumed is what it really cost",
    LEVELS,
    "note.limit == 0 ? cost : 0",
    "note.limit == 0 ? note.reserved : 0",
  ),
  without(
    "a reservation is not consumed before it is settled",
    RESERVATION,
    "changetype<SettleRule>(request.settleRule).nameId == OWN_BUCKET ? 0 : request.cost",
    "request.cost",
  ),
  without(
    "what is settled is counted as spent",
    SETTLE,
    "if (isOwn && planIndex >= 0) epoch.planCounts.count",
    "if (false) epoch.planCounts.count",
  ),
  {
    rule: "what is settled is reported (without the sweep, which finds it)",
    replacements: [
      { file: SETTLE, find: "table.dirty.mark(lastSetIndex(), <u32>((record - set) / RECORD_BYTES));", by: "" },
      { file: filter("table/sweep"), find: "table.dirty.mark(index, slot);", by: "" },
    ],
  },
  without(
    "a settlement that was not written is not taken to be",
    SETTLE,
    "writeSet(set, sharedCas()) == OK",
    "writeSet(set, sharedCas()) < 100",
  ),
  without(
    "a settlement writes over nobody's write",
    SETTLE,
    "writeSet(set, sharedCas())",
    "writeSet(set, sharedCas() & 0)",
  ),
  without(
    "who gets tokens back is not denied from memory",
    SETTLE,
    "  if (cost != note.reserved) forgetDenial(note.token);\n",
  ),
];

const RULES_OF_NOTES: readonly Mutation[] = [
  without("a stream is settled once", SETTLE, "  closeNote(note.contextId);\n"),
  without(
    "a settlement that lost its writes is tried again",
    SETTLE,
    "    note.isOver = true;\n",
    "    closeNote(note.contextId);\n",
  ),
  without("a stream that goes on is settled again where that failed", SETTLE, "    note.isOver = true;\n"),
  without("a stream that ended unseen is settled", filter("tick"), "  settleLostNotes(root);\n"),
  without(
    "a stream that goes on is not settled",
    LOST,
    "if (!note.isOver && enterStream(note.contextId)) entered = true;\n    else ",
  ),
  without("all notes are looked at again and again", LOST, "    if (next >= entries) next = 0;\n"),
  without("a stream's end settles it", "assembly/settle.ts", "  endUsage(contextId);\n"),
  {
    rule: "a note is never overwritten",
    replacements: [
      { file: NOTES, find: "  if (firstFree == 0 && highest == MAX_SETTLE_NOTES) return false;\n", by: "" },
      { file: NOTES, find: "number = ++highest;", by: "number = highest < MAX_SETTLE_NOTES ? ++highest : 1;" },
    ],
  },
  without("a reservation without a note is consumed at once", RESERVATION, " || !hasNoteFor(request.token)"),
  without("a note begins empty", NOTES, "  memory.fill(changetype<usize>(note), 0, USAGE_AT);\n"),
  without(
    "a note that is given back leaves the others",
    NOTES,
    "if (before == 0) store<u16>(head, <u16>note.next);\n  else noteAt(before).next = note.next;",
    "store<u16>(head, <u16>note.next);",
  ),
  without("a note that is given back is used again", NOTES, "  note.next = firstFree;\n  firstFree = number;\n"),
  without("rules are kept while a stream is to be settled by them", NOTES, "  rules.open++;\n"),
  without(
    "a limit that a request does not spend from is not reserved",
    RESERVATION,
    "costOf(verdict.buckets, limit) == NOT_SPENT ? NO_RESERVATION : limit",
    "limit",
  ),
  without(
    "Envoy's own answer says no cost",
    filter("request/read-usage"),
    "note.isOfService = isOfService();",
    "note.isOfService = true;",
  ),
  without("a response without a cost follows onMissing", SETTLE, " && rule.onMissing == ON_MISSING_REFUND"),
  without(
    "a response with a wrong cost keeps the reservation",
    SETTLE,
    "outcome == SETTLEMENT_NO_VALUE && rule",
    "outcome != SETTLEMENT_DONE && rule",
  ),
];

export const RULES_OF_SETTLING: readonly Mutation[] = [...RULES_OF_LEVELS, ...RULES_OF_RECORDS, ...RULES_OF_NOTES].map(
  (mutation) => ({ ...mutation, judge: "settlements" }),
);
