// How many rows a session has: past a bound, others are merged into one (docs/decisions/0052-rows-that-cannot-be.md).
import type { StoredRow } from "./changes.js";
import { isSameInstance } from "./stored.js";
import type { Figures, HeldRow, Instance } from "./stored.js";

/** More than the edges of any installation that see one session. Each acquire reads them all. */
export const MAX_ROWS_A_SESSION = 1024;
/** Merged rows that are kept as they were. The first ones: a flood of made-up instances comes after an honest one. */
export const MAX_REMEMBERED = 256;
/** Merged together, so that not each new instance rewrites the sum. */
const FREED_AT_ONCE = 64;
/** A store of before there was a bound comes to it in several steps. */
const MAX_MERGED_AT_ONCE = 1024;

/** Whose row stands for those that were merged. No edge has an empty name. */
export const FORMER: Instance = { edge: "", instance: "" };
export const isFormer = (row: Instance): boolean => isSameInstance(row, FORMER);

export interface RowsMerged {
  readonly rows: readonly StoredRow[];
  readonly removedRows: readonly (Instance & { readonly sessionId: string })[];
}

/** All rows there are: also those that were merged and are remembered. */
export const allRows = (rows: readonly HeldRow[]): readonly HeldRow[] =>
  rows.flatMap((row) => [row, ...(row.remembered ?? [])]);

/**
 * What has to be written for these rows of a session, so that it has not too many. One that was merged and is remembered
 * is a row of its own again.
 * @param known all rows of the session
 * @param written at least one of an instance that has no row
 */
export function withinBound(sessionId: string, known: readonly HeldRow[], written: readonly StoredRow[]): RowsMerged {
  const others = known.filter((row) => !isFormer(row) && !written.some((one) => isSameInstance(one, row)));
  const former = known.find(isFormer);
  const before = former?.remembered ?? [];
  const remembered = before.filter((row) => !written.some((one) => isSameInstance(one, row)));
  const surplus = others.length + written.length + 1 - MAX_ROWS_A_SESSION;
  if (surplus <= 0) {
    const isBack = former !== undefined && remembered.length < before.length;
    return { rows: isBack ? [...written, { ...former, sessionId, remembered }] : written, removedRows: [] };
  }
  const count = Math.min(surplus + FREED_AT_ONCE, MAX_MERGED_AT_ONCE);
  const merged = inOrderOfLeaving(others, [...others, ...written]).slice(0, count);
  return {
    rows: [...written, { sessionId, ...merge(former, [...remembered, ...merged]) }],
    removedRows: merged.map(({ edge, instance }) => ({ sessionId, edge, instance })),
  };
}

const touchedAtMs = ({ acquiredAtMs, figures }: HeldRow): number => Math.max(acquiredAtMs, figures?.reportedAtMs ?? 0);

/**
 * First those that never acquired the session, as every honest edge does before it reports. Then those after which another
 * life of the same edge held it: nobody begins from their levels any more. Then all others. Each the longest untouched first.
 */
function inOrderOfLeaving(rows: readonly HeldRow[], all: readonly HeldRow[]): readonly HeldRow[] {
  const newest = new Map<string, HeldRow>();
  for (const row of all) {
    const before = newest.get(row.edge);
    if (before === undefined || touchedAtMs(row) >= touchedAtMs(before)) newest.set(row.edge, row);
  }
  const rankOf = (row: HeldRow): number => (row.acquiredAtMs === 0 ? 0 : newest.get(row.edge) === row ? 2 : 1);
  return [...rows].sort((one, other) => rankOf(one) - rankOf(other) || touchedAtMs(one) - touchedAtMs(other));
}

/** The first are remembered, the consumption of the others is added up. */
function merge(former: HeldRow | undefined, rows: readonly HeldRow[]): HeldRow {
  const forgotten = [...(former === undefined ? [] : [former]), ...rows.slice(MAX_REMEMBERED)];
  const figures = forgotten.flatMap((row) => (row.figures === null ? [] : [row.figures]));
  const latest = (of: (one: Figures) => number): number => Math.max(0, ...figures.map(of));
  return {
    ...FORMER,
    acquiredAtMs: Math.max(former?.acquiredAtMs ?? 0, ...rows.map(({ acquiredAtMs }) => acquiredAtMs)),
    figures: {
      rev: 0,
      consumed: figures.reduce((sum, { consumed }) => sum + consumed, 0),
      levelMicro: 0,
      atMs: latest(({ atMs }) => atMs),
      reportedAtMs: latest(({ reportedAtMs }) => reportedAtMs),
    },
    remembered: rows.slice(0, MAX_REMEMBERED),
  };
}
