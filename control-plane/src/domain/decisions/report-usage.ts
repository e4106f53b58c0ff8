// Decides on reported rows: which of them are news, and what they make of their sessions.
import { hasBudgetToTell, hasEndedForGood, withActivity, withConsumed } from "../session.js";
import type { Session } from "../session.js";
import type { Changes, Decision, SessionChange, StoredRow } from "../changes.js";
import type { Instance, Invalidation, SessionRecord } from "../stored.js";
import { takeRows } from "./reported-rows.js";
import type { DroppedRow, ReportedRow } from "./reported-rows.js";

/** What became of a session by the rows about it. */
export interface ReportedSession {
  /** As it is stored; undefined if there is none of this id: its rows are passed over. */
  readonly session: Session | undefined;
  /** Tokens that were not known of before. */
  readonly consumed: number;
  readonly dropped: readonly DroppedRow[];
}

/** Plan id to the tokens that its sessions may consume in all; plans without a budget are left out. */
export type Budgets = ReadonlyMap<number, number>;

/**
 * `tokens.consumed` stays the sum over instances and what was consumed directly; lastActivity moves forward, but not of a session that has ended for
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
  const removedRows: (Instance & { sessionId: string })[] = [];
  const invalidations: Invalidation[] = [];
  for (const [id, own] of bySession(rows)) {
    const record = found.get(id);
    if (record === undefined) {
      answer.set(id, { session: undefined, consumed: 0, dropped: [] });
      continue;
    }
    const { changes, consumed, activeAtMs, dropped } = takeRows(record, own);
    if (changes.rows.length === 0) {
      answer.set(id, { session: record.session, consumed: 0, dropped });
      continue;
    }
    const { session } = record;
    const active = hasEndedForGood(session) ? session : withActivity(session, activeAtMs);
    const spent = spend(active, consumed, budgets, newestReport(own));
    sessions.push({ before: session, after: spent.session });
    written.push(...changes.rows);
    removedRows.push(...changes.removedRows);
    invalidations.push(...spent.invalidations);
    answer.set(id, { session: spent.session, consumed, dropped });
  }
  return { answer, changes: { sessions, rows: written, removedRows, invalidations } };
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
