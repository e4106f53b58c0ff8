// Decides on reported rows: which of them are news, and what they make of their sessions.
import { hasBudgetToTell, hasEndedForGood, withActivity, withConsumed } from "../session.js";
import type { Session } from "../session.js";
import type { Changes, Decision, SessionChange, StoredRow } from "../changes.js";
import { isSameInstance } from "../stored.js";
import type { Figures, HeldRow, Instance, Invalidation, SessionRecord } from "../stored.js";

export interface ReportedRow extends Instance, Figures {
  readonly sessionId: string;
}

/** What became of a session by the rows about it. */
export interface ReportedSession {
  /** As it is stored; undefined if there is none of this id: its rows are passed over. */
  readonly session: Session | undefined;
  /** Tokens that were not known of before. */
  readonly consumed: number;
}

/** Plan id to the tokens that its sessions may consume in all; plans without a budget are left out. */
export type Budgets = ReadonlyMap<number, number>;

/**
 * Rows whose rev is higher than that of the row before are news, the others are passed over. `tokens.consumed` stays the
 * sum over instances and what was consumed directly; lastActivity moves forward, but not of a session that has ended for
 * good. A session that reaches its budget enters the log as `refresh`, once a budget. Answers by session id.
 * @param found the stored sessions of the rows, each with those of its rows that are reported
 */
export function decideReport(
  found: ReadonlyMap<string, SessionRecord>,
  rows: readonly ReportedRow[],
  budgets: Budgets,
): Decision<ReadonlyMap<string, ReportedSession>> {
  const answer = new Map<string, ReportedSession>();
  const sessions: SessionChange[] = [];
  const written: StoredRow[] = [];
  const invalidations: Invalidation[] = [];
  for (const [id, own] of bySession(rows)) {
    const record = found.get(id);
    const taken = record && take(record, own);
    if (record === undefined || taken === undefined) {
      answer.set(id, { session: record?.session, consumed: 0 });
      continue;
    }
    const spent = spend(taken.session, taken.consumed, budgets, newestReport(own));
    sessions.push({ before: record.session, after: spent.session });
    written.push(...taken.rows);
    invalidations.push(...spent.invalidations);
    answer.set(id, { session: spent.session, consumed: taken.consumed });
  }
  return { answer, changes: { sessions, rows: written, invalidations } };
}

/** The session with so many tokens more consumed; where that reaches its budget, edges hear of it. */
export function spend(
  session: Session,
  count: number,
  budgets: Budgets,
  atMs: number,
): { readonly session: Session } & Required<Pick<Changes, "invalidations">> {
  const spent = withConsumed(session, count);
  const budget = budgets.get(session.plan.id);
  if (!hasBudgetToTell(spent, budget)) return { session: spent, invalidations: [] };
  return {
    session: { ...spent, announcedBudget: budget },
    invalidations: [{ kind: "refresh", sessionId: session.id, atMs }],
  };
}

/** Undefined where no row says anything new. */
function take(
  { session, rows: known }: SessionRecord,
  rows: readonly ReportedRow[],
): { readonly session: Session; readonly rows: readonly StoredRow[]; readonly consumed: number } | undefined {
  const news: StoredRow[] = [];
  let consumed = 0;
  let activeAtMs = -1;
  for (const row of rows) {
    const before = news.findLast((one) => isSameInstance(one, row)) ?? known.find((one) => isSameInstance(one, row));
    if (row.rev <= (before?.figures?.rev ?? 0)) continue;
    const next = withFigures(row, before);
    news.push(next);
    consumed += next.figures.consumed - (before?.figures?.consumed ?? 0);
    activeAtMs = Math.max(activeAtMs, row.atMs);
  }
  if (news.length === 0) return undefined;
  const active = hasEndedForGood(session) ? session : withActivity(session, activeAtMs);
  return { session: active, rows: news, consumed };
}

/** What was spent stays spent, whatever a later row says: a budget is not given back. */
function withFigures(row: ReportedRow, before: HeldRow | undefined): StoredRow & { readonly figures: Figures } {
  const { sessionId, edge, instance, rev, levelMicro, atMs, reportedAtMs } = row;
  const consumed = Math.max(row.consumed, before?.figures?.consumed ?? 0);
  const figures = { rev, consumed, levelMicro, atMs, reportedAtMs };
  return { sessionId, edge, instance, acquiredAtMs: before?.acquiredAtMs ?? 0, figures };
}

function bySession(rows: readonly ReportedRow[]): Map<string, ReportedRow[]> {
  const groups = new Map<string, ReportedRow[]>();
  for (const row of rows) {
    const group = groups.get(row.sessionId);
    if (group === undefined) groups.set(row.sessionId, [row]);
    else group.push(row);
  }
  return groups;
}

const newestReport = (rows: readonly ReportedRow[]): number => Math.max(...rows.map((row) => row.reportedAtMs));
