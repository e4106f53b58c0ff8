// What reported rows make of one session: which of them are news, which cannot be, and what was spent by them.
import {
  MAX_REFILL_RATE,
  MAX_SAFE_INTEGER,
  MAX_SETTLED_COST,
  MAX_TOKENS,
  MICROTOKENS_PER_TOKEN,
} from "../../../../assembly/contract.js";
import type { StoredRow } from "../changes.js";
import { allRows, withinBound } from "../former-rows.js";
import type { RowsMerged } from "../former-rows.js";
import { keptLimits } from "../limit-levels.js";
import type { Session } from "../session.js";
import { isSameInstance } from "../stored.js";
import type { Figures, HeldRow, Instance, SessionRecord } from "../stored.js";

/** Of any plan: a full bucket, and the same as a debt. */
const MAX_LEVEL_MICRO = MAX_TOKENS * MICROTOKENS_PER_TOKEN;
/** An unverified admission gives another bucket: so many at one instance are believed. */
const BUCKETS_BELIEVED = 16;

export interface ReportedRow extends Instance, Figures {
  readonly sessionId: string;
}

/**
 * malformed: not of the form of a row. limits: its further levels are not of their form. level, consumed: what no plan
 * allows. sum: the session's total would be past what is exact.
 */
export const DROP_REASONS = ["malformed", "limits", "level", "consumed", "sum"] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** A row that cannot be, and that nothing is taken of; but of `limits` only its further levels are not taken. */
export interface DroppedRow extends Instance {
  /** Undefined where it names none. */
  readonly sessionId: string | undefined;
  readonly reason: DropReason;
}

type NewsRow = StoredRow & { readonly figures: Figures };

export interface Taken {
  /** Those that are news, and what they push out. */
  readonly changes: RowsMerged;
  /** Tokens that were not known of before. */
  readonly consumed: number;
  /** The latest activity that they tell of; -1: they tell of none. */
  readonly activeAtMs: number;
  readonly dropped: readonly DroppedRow[];
}

/** Rows whose rev is higher than that of the row before are news, the others are passed over. */
export function takeRows({ session, rows: known }: SessionRecord, rows: readonly ReportedRow[]): Taken {
  const all = allRows(known);
  const news: NewsRow[] = [];
  const dropped: DroppedRow[] = [];
  let consumed = 0;
  let activeAtMs = -1;
  for (const row of rows) {
    const at = news.findIndex((one) => isSameInstance(one, row));
    const before = news[at] ?? all.find((one) => isSameInstance(one, row));
    if (row.rev <= (before?.figures?.rev ?? 0)) continue;
    const next = withFigures(row, before);
    const more = next.figures.consumed - (before?.figures?.consumed ?? 0);
    const reason = whyNot(row, session, session.tokens.consumed + consumed + more);
    if (reason !== undefined) {
      dropped.push({ edge: row.edge, instance: row.instance, sessionId: session.id, reason });
      continue;
    }
    news.splice(at < 0 ? news.length : at, 1, next);
    consumed += more;
    activeAtMs = Math.max(activeAtMs, row.atMs);
  }
  return { changes: changesOf(session.id, known, news), consumed, activeAtMs, dropped };
}

/** Why a row cannot be; undefined where it can. No plan there ever was lets an honest edge send such a row. */
function whyNot(row: ReportedRow, session: Session, sum: number): DropReason | undefined {
  const levels = [row, ...Object.values(row.limits ?? {})];
  if (levels.some(({ levelMicro }) => Math.abs(levelMicro) > MAX_LEVEL_MICRO)) return "level";
  const ageS = (row.reportedAtMs - session.createdAt) / 1000;
  // Created by a clock that was ahead of this one: how old it is nobody knows.
  const isOfUnknownAge = ageS < 0;
  const admitted = BUCKETS_BELIEVED * MAX_TOKENS + MAX_REFILL_RATE * ageS;
  // What requests turned out to cost beyond what was there; each has raised `rev`.
  const settled = row.rev * MAX_SETTLED_COST;
  if (!isOfUnknownAge && row.consumed > admitted + settled) return "consumed";
  return sum > MAX_SAFE_INTEGER ? "sum" : undefined;
}

/** What was spent stays spent, whatever a later row says: a budget is not given back. */
function withFigures(row: ReportedRow, before: HeldRow | undefined): NewsRow {
  const { sessionId, edge, instance, rev, levelMicro, atMs, reportedAtMs, isLease } = row;
  const consumed = Math.max(row.consumed, before?.figures?.consumed ?? 0);
  const limits = keptLimits(before?.figures?.limits, row.limits);
  const said = { rev, consumed, levelMicro, atMs, reportedAtMs, ...(isLease === true && { isLease }) };
  const figures = { ...said, ...(limits === undefined ? {} : { limits }) };
  // With what a later version may have stored beside it; figures are all of one report.
  return { ...before, sessionId, edge, instance, acquiredAtMs: before?.acquiredAtMs ?? 0, figures };
}

/** Where one of the instances has no row yet, all rows are known. */
function changesOf(sessionId: string, known: readonly HeldRow[], news: readonly NewsRow[]): RowsMerged {
  const hasRow = (row: NewsRow): boolean => known.some((one) => isSameInstance(one, row));
  return news.every(hasRow) ? { rows: news, removedRows: [] } : withinBound(sessionId, known, news);
}
