// The rules of leases, each taken out by itself: those of the decision, those of the filter, and those of what is settled later.
// Some stand behind others and are not among them, for little or nothing goes wrong in a run without them alone; each has a test that
// fails without it, but for the first:
//   - numbers past the lost ones: nothing is granted until all that was asked with those is over. That of a lease has a test
//     (lease-rules), that of forgotten ones has none;
//   - what is kept is at most what was out (lease-schedules), and so is what comes back (lease-rules);
//   - an acquire while a lease lives is granted nothing (lease-rules, lease-acquire);
//   - an acquire's lease is taken only where its annex is made (test/host/edge/filter-leases).
// Few schedules come to clocks that differ, to ends that come too soon, and to sessions that are over. Tests fail without: 250 ms
// that are not credited by another clock, and the end of a lease that is not covered (lease-rules); a grace at either side of a lease's
// end, and refill until that end (lease-rules, lease-call); a session that is not live is given nothing (lease-call).
import type { Aim } from "../leases/faults/lease-profile.js";
import { filter, type Mutation } from "./mutation.js";

const leases = (name: string): string => `control-plane/src/domain/leases/${name}.ts`;
const DECISION = leases("decide-lease");
const LIVES = leases("starting-budget");
const CREDITS = leases("lease-credits");
const NOW = leases("budget-now");
const SIZE = leases("lease-size");
const LEASE = "assembly/domain/table/lease.ts";
const TAKE = filter("table/take-lease");
const MARK = filter("table/mark-lease");
const SETTLE = filter("request/settle-levels");
const NOTES = filter("state/lease-notes");

/** By what is left of them, or by something else. */
function without(rule: string, file: string, find: string, by = ""): Mutation {
  return { rule, judge: "leases", replacements: [{ file, find, by }] };
}

const aimed = (aim: Aim, rules: readonly Mutation[]): readonly Mutation[] => rules.map((one) => ({ ...one, aim }));

const OF_DECISIONS: readonly Mutation[] = [
  ...aimed("lives", [
    without(
      "in another life of the store nothing is granted for a while",
      LIVES,
      "const frozenUntilMs = (lifeBeganMs ?? fleetMs) + LEASE_LIFE_MS;",
      "const frozenUntilMs = 0;",
    ),
    without(
      "in another life of the store nothing is left but debts",
      LIVES,
      "withoutTokens(known.get(name))",
      "known.get(name) ?? withoutTokens()",
    ),
  ]),
  ...aimed("copies", [
    without(
      "an ask of a former number changes nothing",
      DECISION,
      "if (ask.ask !== 0 && ask.ask < lease.ask) {",
      "if (ask.ask < 0) {",
    ),
    without("an ask that comes twice is decided once", DECISION, ": ask.ask === lease.ask;", ": false;"),
    without(
      "only an answer that was not taken is void",
      CREDITS,
      "ask.ask !== 0 && ask.applied < known.ask",
      "ask.ask !== 0",
    ),
  ]),
  ...aimed("clocks", [
    without(
      "an acquire of a later miss is not given the same once more",
      DECISION,
      "lease.unnumbered && lease.at !== undefined && at !== undefined && at - lease.at < LEASE_REPEAT_MS;",
      "lease.unnumbered && (lease.at ?? 0) <= (at ?? 0);",
    ),
  ]),
  without(
    "a session older than the store's life does not begin full",
    LIVES,
    "if (lifeBeganMs === undefined) return exactly",
    "if (by !== undefined) return exactly",
  ),
  without("what is granted is taken from the level", DECISION, "micro: level.micro - amount", "micro: level.micro"),
  without(
    "what is out leaves no room for refill",
    NOW,
    "roomOf(limits, outstandingIn(leases, name))",
    "roomOf(limits, 0)",
  ),
  {
    rule: "a request that is dearer than the part of its edge gets what it costs",
    judge: "leases",
    replacements: [
      {
        file: SIZE,
        find: "Math.max(Math.floor(part * giveable(name, limits, budget)), cost)",
        by: "Math.floor(part * giveable(name, limits, budget))",
      },
      {
        file: SIZE,
        find: "Math.max(need, Math.min(amountIn(ask.want, name) - keeps, share), 0)",
        by: "Math.max(Math.min(amountIn(ask.want, name) - keeps, share), 0)",
      },
    ],
  },
];

const OF_THE_FILTER: readonly Mutation[] = [
  ...aimed("copies", [
    without(
      "a lease is not spent from past its end",
      filter("request/spend-lease"),
      "  dropOverLease(record, annex, nowUs);\n",
    ),
    without("only the answer to the last ask counts", TAKE, "askOf(annex) != ask.ask || pendingOf(annex) == 0 || "),
    without(
      "a lease ends so long after it was asked for",
      LEASE,
      "const end = leaseMs(askedAtUs) + min",
      "const end = leaseMs(nowUs) + min",
    ),
    without("what is given back is not spent any more", MARK, "  if (isReturn) endLease(record, annex, nowUs);\n"),
    without(
      "an ask says which answer was taken last",
      MARK,
      "Marked.applied = appliedOf(annex);",
      "Marked.applied = 0;",
    ),
    without(
      "an ask has a number of its own",
      LEASE,
      "const ask = askOf(annex) + 1;",
      "const ask = max(askOf(annex), 1);",
    ),
  ]),
  without(
    "what an ask says is left is what its mark was written over",
    MARK,
    "micro > 0 ? microtokensUp(level) : micro",
    "min<i64>(micro, 0)",
  ),
];

const OF_SETTLING: readonly Mutation[] = aimed("settling", [
  without(
    "what is not needed never goes back into a lease",
    SETTLE,
    "isFleet ? min(note.reserved, cost) : note.reserved",
    "note.reserved",
  ),
  without(
    "a charge is no part of a lease that is over",
    SETTLE,
    "  if (isFleet) dropOverLease(record, annex, nowUs);\n",
  ),
  without("what was not needed is said once", NOTES, "  memory.fill(note.settled, 0, BUCKETS * 8);\n"),
  without(
    "what an edge owes is taken from the budget",
    CREDITS,
    "debited(more, Math.max(0, -amountIn(ask.left, name)), limits)",
    "more",
  ),
  without(
    "a debt stands until its answer comes",
    TAKE,
    "load<i64>(levelAt) - load<i64>(ask.debts + (bucket << 3))",
    "max<i64>(load<i64>(levelAt), 0)",
  ),
  without(
    "what comes back never fills a bucket above what it holds",
    CREDITS,
    "amountIn(back, name)), limits, { room, at })",
    "amountIn(back, name)), limits, { room: Infinity, at })",
  ),
]);

export const RULES_OF_LEASES: readonly Mutation[] = [...OF_DECISIONS, ...OF_THE_FILTER, ...OF_SETTLING];
