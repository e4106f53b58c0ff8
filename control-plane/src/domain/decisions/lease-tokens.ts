// Decides on asks for tokens of fleet budgets: of many sessions in one commit, those of one session one after the other.
import type { Decision } from "../changes.js";
import { allRows } from "../former-rows.js";
import { decideLease } from "../leases/decide-lease.js";
import type { FleetBudget } from "../leases/fleet-budget.js";
import type { LeaseAnswer, LeaseAsk, LeaseMoment, LeaseOutcome, Moved } from "../leases/lease-ask.js";
import { isOlderThanLife, momentOf } from "../leases/store-life.js";
import type { FleetMoment, StoreLife } from "../leases/store-life.js";
import type { PlanOfPolicy } from "../plan.js";
import type { Session } from "../session.js";
import { activeSession } from "../stored.js";
import type { LogPosition, SessionRecord } from "../stored.js";

export interface SessionAsk extends LeaseAsk {
  readonly sessionId: string;
}

export interface LeaseTerms {
  /** The fleet clock here, read before the store is; undefined: it has not begun. */
  readonly clock: FleetMoment | undefined;
  /** The same moment, ms since the epoch. */
  readonly wallMs: number;
  /** The plan of fleet scope that a session is leased under; undefined: it is not live, or its plan is another one. */
  readonly planOf: (session: Session) => PlanOfPolicy | undefined;
}

/** What leases are decided on, of one moment. */
export interface LeaseState {
  /** By session id. */
  readonly found: ReadonlyMap<string, SessionRecord>;
  readonly position: LogPosition;
  readonly life: StoreLife;
}

/** over: nothing is leased of the ask's session. */
export const LEASE_OUTCOMES = ["granted", "refused", "idle", "repeated", "stale", "over"] as const;
export type OutcomeOfAsk = LeaseOutcome | "over";

/** What became of one ask. */
export interface Leased {
  readonly ask: LeaseAsk;
  readonly outcome: OutcomeOfAsk;
  /** Undefined: over. */
  readonly answer: LeaseAnswer | undefined;
  readonly moved: Moved | undefined;
}

/** What became of the asks about one session. */
export interface LeasedSession {
  /** The store's, at the moment of the decision. */
  readonly log: string;
  /** Of each ask, in their order. */
  readonly leased: readonly Leased[];
  /** As it is now; undefined: nothing is leased of the session. */
  readonly budget: FleetBudget | undefined;
}

/** Answers by session id. */
export function decideLeases(
  { found, ...at }: LeaseState,
  asks: readonly SessionAsk[],
  terms: LeaseTerms,
): Decision<ReadonlyMap<string, LeasedSession>> {
  const answer = new Map<string, LeasedSession>();
  const budgets: { sessionId: string; budget: FleetBudget }[] = [];
  for (const [sessionId, own] of bySession(asks)) {
    const record = found.get(sessionId);
    const leased = record === undefined ? over(own, at.position.log) : leasesOf(record, own, at, terms);
    answer.set(sessionId, leased);
    const { budget } = leased;
    if (budget !== undefined && budget !== record?.budget) budgets.push({ sessionId, budget });
  }
  return { answer, changes: budgets.length === 0 ? {} : { budgets } };
}

type StoreMoment = Pick<LeaseState, "position" | "life">;

/** The asks about one session. */
export function leasesOf(
  record: SessionRecord,
  asks: readonly LeaseAsk[],
  at: StoreMoment,
  terms: LeaseTerms,
): LeasedSession {
  const { log } = at.position;
  const plan = terms.planOf(activeSession(record));
  if (plan === undefined) return over(asks, log);
  const moment = leaseMoment({ session: record.session, rows: allRows(record.rows), plan }, at, terms);
  let { budget } = record;
  const leased: Leased[] = [];
  for (const ask of asks) {
    const { answer, outcome, moved, ...decided } = decideLease(budget, ask, moment);
    leased.push({ ask, outcome, answer, moved });
    ({ budget } = decided);
  }
  return { log, leased, budget };
}

export function leaseMoment(
  { session, ...of }: Pick<LeaseMoment, "rows" | "plan"> & { readonly session: Session },
  { position: { log }, life }: StoreMoment,
  { clock, wallMs }: LeaseTerms,
): LeaseMoment {
  const moment = { ...of, log, wallMs, ...momentOf(log, life, clock) };
  return isOlderThanLife(session.id, life) ? { ...moment, lifeBeganMs: life.beganMs } : moment;
}

function over(asks: readonly LeaseAsk[], log: string): LeasedSession {
  const leased = asks.map((ask): Leased => ({ ask, outcome: "over", answer: undefined, moved: undefined }));
  return { log, leased, budget: undefined };
}

function bySession(asks: readonly SessionAsk[]): Map<string, SessionAsk[]> {
  const groups = new Map<string, SessionAsk[]>();
  for (const ask of asks) {
    const group = groups.get(ask.sessionId);
    if (group === undefined) groups.set(ask.sessionId, [ask]);
    else group.push(ask);
  }
  return groups;
}
