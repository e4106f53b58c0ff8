// Decides on an ask: what an instance may spend of a session's fleet budget (docs/decisions/0085-leases.md). In every
// bucket, at all times: the level and what is outstanding are together at most what the bucket holds.
import {
  LEASE_GRACE_MS,
  LEASE_REPEAT_MS,
  LEASE_RETRY_MS,
  LEASE_TTL_MS,
  MAX_LEASES_OF_SESSION,
} from "../../../../assembly/contract.js";
import { isSameInstance } from "../stored.js";
import { isNothing, lives, NOTHING, plus } from "./amounts.js";
import { budgetAt } from "./budget-now.js";
import { OWN_BUCKET } from "./fleet-budget.js";
import type { Amounts, FleetBudget, Lease } from "./fleet-budget.js";
import type { LeaseAnswer, LeaseAsk, LeaseDecision, LeaseMoment, Moved } from "./lease-ask.js";
import { withCredits } from "./lease-credits.js";
import { sizeLease } from "./lease-size.js";
import type { Sized } from "./lease-size.js";
import { ASKS_OF_A_RECORD, budgetOf, lowered } from "./starting-budget.js";

/** Leases that are over and whose numbers are kept, a session. */
const MAX_ENDED_LEASES = 64;

const UNMOVED: Moved = { granted: NOTHING, returned: NOTHING, expired: NOTHING, voided: NOTHING, spent: NOTHING };

/** Pure. @param known what is stored of the session's budget; undefined: nothing yet */
export function decideLease(known: FleetBudget | undefined, ask: LeaseAsk, moment: LeaseMoment): LeaseDecision {
  const { budget: now, expired } = budgetAt(budgetOf(known, moment), moment.plan, moment);
  const refilled = lowered(now, known?.wallMs ?? -Infinity, moment);
  const planId = moment.plan.id;
  const budget = { ...refilled, planId, wallMs: Math.max(refilled.wallMs, moment.wallMs) };
  const lease = budget.leases.find((one) => isSameInstance(one, ask));
  const isUnchanged = known?.log === moment.log;
  // In another life of the store that is to be kept, whatever is answered.
  const asItIs = { budget: isUnchanged ? known : budget, moved: isUnchanged ? UNMOVED : { ...UNMOVED, expired } };
  if (lease !== undefined) {
    const isRepeated =
      ask.ask === 0
        ? isOfOneMiss(lease, ask) && ttlOf(lease, budget) > 0 && known?.planId === planId
        : ask.ask === lease.ask;
    if (isRepeated) return { ...asItIs, answer: answerOf(lease, budget), outcome: "repeated" };
    if (ask.ask !== 0 && ask.ask < lease.ask) {
      const answer = { ask: ask.ask, granted: NOTHING, ttlMs: 0, is: lease.ask };
      return { ...asItIs, answer, outcome: "stale" };
    }
    if (ask.ask === 0 && lives(lease, budget.atMs)) return renumbered(budget, lease, ask, { ...UNMOVED, expired });
  }
  return leased(budget, lease, ask, moment, expired);
}

/**
 * Whether both acquires are of one miss at the instance: one was sent twice, or two of its workers asked. By the instance's own
 * clock: the fleet's may stand while a record takes the lease, is spent from and evicted, and another acquire asks. One that
 * asked earlier makes no record later than that.
 */
const isOfOneMiss = (lease: Lease, { at }: LeaseAsk): boolean =>
  lease.unnumbered && lease.at !== undefined && at !== undefined && at - lease.at < LEASE_REPEAT_MS;

/** Without what its last answer said. */
const unanswered = ({ refused: _refused, at: _at, ...lease }: Lease): Omit<Lease, "refused" | "at"> => lease;

/**
 * An acquire while a lease lives: its record may be gone, or another worker has just made it, and spends. So the lease
 * stays as it is under a new number, and nothing is granted: the next ask says what is left of it.
 */
function renumbered(budget: FleetBudget, known: Lease, { at }: LeaseAsk, moved: Moved): LeaseDecision {
  const next: Lease = {
    ...{ ...unanswered(known), ask: known.ask + ASKS_OF_A_RECORD, unnumbered: true },
    ...(at !== undefined && { at }),
    ...{ granted: NOTHING, debtTaken: NOTHING },
  };
  const leases = budget.leases.map((one) => (isSameInstance(one, known) ? next : one));
  return { budget: { ...budget, leases }, answer: answerOf(next, budget), outcome: "idle", moved };
}

function leased(
  before: FleetBudget,
  known: Lease | undefined,
  ask: LeaseAsk,
  moment: LeaseMoment,
  expired: Amounts,
): LeaseDecision {
  const { budget, kept, isCovered, debtTaken, voided, returned, spent } = withCredits(before, known, ask, moment);
  const nowMs = budget.atMs;
  const living = budget.leases.filter((lease) => lives(lease, nowMs));
  const refusal = noneNow(budget, ask, isCovered, living.length);
  const { granted, refused, pacedUntilMs } = refusal ?? sizeLease(budget, { ask, kept, known }, moment.plan);
  const isEmpty = isNothing(kept) && isNothing(granted) && refused === undefined;
  const knownEndMs = known !== undefined && lives(known, nowMs) ? known.untilMs : nowMs;
  const lease: Lease = {
    ...{ edge: ask.edge, instance: ask.instance, unnumbered: ask.ask === 0 },
    ...(ask.ask === 0 && ask.at !== undefined && { at: ask.at }),
    ask: ask.ask === 0 ? (known?.ask ?? before.forgottenAsk) + ASKS_OF_A_RECORD : ask.ask,
    ...{ granted, debtTaken, outstanding: plus(kept, granted), want: ask.want },
    ...(refused === undefined ? {} : { refused }),
    pacedUntilMs: pacedUntilMs ?? known?.pacedUntilMs ?? 0,
    // More than is covered has to end when it would have: what it is of is not known to be outstanding.
    untilMs: !isCovered ? knownEndMs : isEmpty ? nowMs : nowMs + LEASE_TTL_MS + LEASE_GRACE_MS,
  };
  const levels = { ...budget.levels };
  for (const [name, amount] of Object.entries(granted)) {
    const level = levels[name];
    if (level !== undefined) levels[name] = { ...level, micro: level.micro - amount };
  }
  const isKept = living.length < MAX_LEASES_OF_SESSION;
  const isRefused = refused !== undefined && isNothing(granted);
  return {
    budget: withoutOldest({ ...budget, levels, leases: isKept ? [...budget.leases, lease] : budget.leases }),
    answer: answerOf(lease, budget),
    outcome: isRefused ? "refused" : isNothing(granted) ? "idle" : "granted",
    moved: { granted, expired, voided, returned, spent },
  };
}

/** Why nothing is granted whatever there is; undefined: no such reason. */
function noneNow(budget: FleetBudget, ask: LeaseAsk, isCovered: boolean, others: number) {
  const { atMs, frozenUntilMs } = budget;
  const refusedFor = (ms: number): Sized => {
    const [bucket = OWN_BUCKET] = Object.keys(ask.cost);
    const refused = { bucket, untilMs: atMs + Math.max(LEASE_RETRY_MS, ms), need: 0, sinceMs: atMs };
    return isNothing(ask.want) ? { granted: NOTHING } : { granted: NOTHING, refused };
  };
  if (atMs < frozenUntilMs) return refusedFor(frozenUntilMs - atMs);
  if (!isCovered) return refusedFor(LEASE_RETRY_MS);
  return others >= MAX_LEASES_OF_SESSION ? refusedFor(LEASE_TTL_MS) : undefined;
}

/** The edge counts from when it asked, which was before now: so it ends there a grace sooner than here. */
const ttlOf = ({ untilMs }: Lease, { atMs }: FleetBudget): number => Math.max(0, untilMs - LEASE_GRACE_MS - atMs);

function answerOf(lease: Lease, budget: FleetBudget): LeaseAnswer {
  const { ask, refused } = lease;
  const ttlMs = ttlOf(lease, budget);
  const answer = { ask, ttlMs, granted: ttlMs > 0 ? lease.granted : NOTHING };
  if (refused === undefined) return answer;
  const retryAfterMs = Math.max(LEASE_RETRY_MS, refused.untilMs - budget.atMs);
  return { ...answer, refused: { bucket: refused.bucket, retryAfterMs } };
}

/** Leases that are over go, the longest over first, where there are too many. */
function withoutOldest(budget: FleetBudget): FleetBudget {
  const over = budget.leases.filter((lease) => !lives(lease, budget.atMs));
  const surplus = over.length - MAX_ENDED_LEASES;
  if (surplus <= 0) return budget;
  const gone = new Set([...over].sort((a, b) => a.untilMs - b.untilMs).slice(0, surplus));
  const forgottenAsk = Math.max(budget.forgottenAsk, ...[...gone].map(({ ask }) => ask));
  return { ...budget, forgottenAsk, leases: budget.leases.filter((lease) => !gone.has(lease)) };
}
