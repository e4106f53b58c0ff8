// Use case: an edge says what was spent there (docs/edge-protocol.md, report).
import type { DropReason, ReportedRow } from "../../domain/decisions/reported-rows.js";
import type { Instance } from "../../domain/stored.js";
import type { WorkerPolicy } from "../ports/edge-ports.js";
import { liveForEdges } from "./session-ends.js";
import type { UsagePorts } from "./usage.js";

/** A session as its instance knew it when it sent the report. */
export interface RowOfReport {
  readonly sessionId: string;
  readonly rev: number;
  readonly consumed: number;
  /** As it was `idleMs` ago. */
  readonly levelMicro: number;
  readonly idleMs: number;
  /** Microtokens in the plan's further limits, by name, as of the same moment; absent where it has none. */
  readonly limits?: Readonly<Record<string, number>>;
  /** The instance spends on a lease there: its levels say nothing of the session's budget. */
  readonly isLease?: true;
}

/** A row that is none, or whose further levels are none; its session's id where that much can be read. */
export interface MalformedRow {
  readonly sessionId: string | undefined;
  readonly reason: Extract<DropReason, "malformed" | "limits">;
}

export interface Report extends Instance {
  /** Which worker of the instance; empty where an older filter does not say. */
  readonly worker: string;
  /** Which build of the filter the worker runs; undefined where an older one does not say. */
  readonly build?: string | undefined;
  /** What the worker runs. */
  readonly policy?: WorkerPolicy | undefined;
  readonly rows: readonly RowOfReport[];
  /** Those that are dropped, or whose further levels are. */
  readonly malformed: readonly MalformedRow[];
  /** The instance has spent more than fits. */
  readonly more: boolean;
}

export interface ReportAnswer {
  /** The store's before the rows were committed. */
  readonly log: string;
  /** Sessions that the instance is to ask about at their next request. */
  readonly refresh: readonly string[];
}

/**
 * The answer once the rows are durable; a row that is dropped is acknowledged with the others, or its worker would send it
 * for ever (docs/decisions/0052-rows-that-cannot-be.md). Undefined, and nothing was taken, where too much waits to be written.
 * Refresh: sessions of these rows that are not live, or not known. Their edge admitted requests of them, so it has not
 * received their end: they ended for idleness while it was gone, or a restored store lacks them.
 * The log is that of before the commit: rows of a former log may be lost, and an edge that follows the present one takes no
 * acknowledgement of a former. An edge that still follows the former one begins anew, and with that no row counts as
 * acknowledged.
 */
export async function reportUsage(ports: UsagePorts, report: Report): Promise<ReportAnswer | undefined> {
  const { clock, commits, instances, store } = ports;
  const { edge, instance, worker, build, policy, malformed, more } = report;
  const arrivedAtMs = clock.monotonicMs();
  const nowMs = clock.nowMs();
  const rows = report.rows.map((row) => reportedRow(row, { edge, instance }, nowMs));
  const { log } = await store.position();
  const committed = await commits.commit(rows);
  if (committed === undefined) {
    ports.usageMeter.reported("rejected", rows.length);
    return undefined;
  }
  instances.reported({ edge, instance }, { worker, build, policy, more, arrivedAtMs });
  ports.usageMeter.reported("accepted", rows.length);
  ports.droppedRows.note(malformed.map((row) => ({ edge, instance, ...row })));

  const isLive = liveForEdges(ports.policies, clock);
  const refresh: string[] = [];
  for (const [sessionId, { session }] of committed) {
    if (session === undefined || !isLive(session)) refresh.push(sessionId);
  }
  return { log, refresh };
}

/** A row as it is stored: edges send durations, for clocks need not agree. One time serves all its levels. */
export function reportedRow(row: RowOfReport, { edge, instance }: Instance, nowMs: number): ReportedRow {
  const { idleMs, limits: levels, ...said } = row;
  const atMs = Math.max(0, nowMs - idleMs);
  const common = { ...said, edge, instance, atMs, reportedAtMs: nowMs };
  if (levels === undefined) return common;
  const limits = Object.entries(levels).map(([name, levelMicro]) => [name, { levelMicro, atMs }] as const);
  return { ...common, limits: Object.fromEntries(limits) };
}
