// Rows of usage in a report or an acquire, read strictly: what is counted against a session is never guessed.
import { MAX_LIMITS_OF_PLAN, MAX_NAME_CHARS } from "../../../../assembly/contract.js";
import type { MalformedRow, RowOfReport } from "../../app/edges/report-usage.js";

const SESSION_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TAG = /^[0-9a-f]{8}$/;
const LIMIT_NAME = new RegExp(`^[a-z0-9-]{1,${MAX_NAME_CHARS}}$`);
/** A record's rev is a u32. */
const MAX_REV = 0xffff_ffff;

export interface RowsReading {
  readonly rows: readonly RowOfReport[];
  readonly malformed: readonly MalformedRow[];
}

/** What the call says of the tags of its rows. */
export interface TagsOfCall {
  /** By tag the names of its limits, in the order of the levels of its rows. */
  readonly limits?: Readonly<Record<string, unknown>> | undefined;
  /** Tags of plans of fleet scope. */
  readonly fleet?: readonly unknown[] | undefined;
}

type NamesByTag = ReadonlyMap<string, readonly string[]>;

/**
 * [session id, rev, consumed, level, idleMs], or these and [tag, [level, …]] of further limits, whose names `limits` says by
 * tag; a newer edge may add more after these. A row that is not so takes none of the others with it: one bad record would
 * keep all that its worker has to say from the control plane. Where only its further levels are not so, it counts without them.
 * Those of a tag of fleet scope are what is left of a lease: they are not read.
 */
export function readUsageRows(usage: readonly unknown[], { limits = {}, fleet = [] }: TagsOfCall = {}): RowsReading {
  const names = namesByTag(limits);
  const leased = new Set(fleet);
  const rows: RowOfReport[] = [];
  const malformed: MalformedRow[] = [];
  for (const row of usage) {
    const [sessionId, rev, consumed, levelMicro, idleMs, tag, levels] = Array.isArray(row) ? (row as unknown[]) : [];
    const id = typeof sessionId === "string" && SESSION_ID.test(sessionId) ? sessionId : undefined;
    if (id === undefined || !isWhole(rev) || rev > MAX_REV || !isWhole(consumed)) {
      malformed.push({ sessionId: id, reason: "malformed" });
    } else if (!isInteger(levelMicro) || !isWhole(idleMs)) malformed.push({ sessionId: id, reason: "malformed" });
    else {
      const row = { sessionId: id, rev, consumed, levelMicro, idleMs };
      if (tag !== undefined && leased.has(tag)) {
        rows.push({ ...row, isLease: true });
        continue;
      }
      const further = typeof tag === "string" ? furtherLevels(levels, names.get(tag)) : undefined;
      if (tag !== undefined && further === undefined) malformed.push({ sessionId: id, reason: "limits" });
      rows.push({ ...row, ...(further && { limits: further }) });
    }
  }
  return { rows, malformed };
}

/** A tag whose names are none has none: its rows count without their further levels. */
function namesByTag(limits: Readonly<Record<string, unknown>>): NamesByTag {
  const byTag = new Map<string, readonly string[]>();
  for (const [tag, names] of Object.entries(limits)) {
    if (!TAG.test(tag) || !Array.isArray(names) || names.length < 1 || names.length > MAX_LIMITS_OF_PLAN) continue;
    if (names.every(isLimitName) && new Set(names).size === names.length) byTag.set(tag, names);
  }
  return byTag;
}

function furtherLevels(
  levels: unknown,
  names: readonly string[] | undefined,
): Readonly<Record<string, number>> | undefined {
  if (names === undefined || !Array.isArray(levels) || levels.length !== names.length) return undefined;
  if (!levels.every(isInteger)) return undefined;
  return Object.fromEntries(names.map((name, index) => [name, levels[index] ?? 0]));
}

const isLimitName = (value: unknown): value is string => typeof value === "string" && LIMIT_NAME.test(value);
const isInteger = (value: unknown): value is number => Number.isSafeInteger(value);
const isWhole = (value: unknown): value is number => isInteger(value) && value >= 0;
