// The reports of an edge's workers: the next one that is sent, and what it says of a session.
import type { Callout } from "../host/callouts.js";
import { REPORT_INTERVAL_MS } from "./documents.js";
import type { Edge } from "./edge.js";
import type { Session } from "./tokens.js";

/** A whole sweep of the leader takes 10 s; what it finds goes with the next report. */
export const SWEEP_MS = 10_000;

export interface Report {
  readonly edge: string;
  readonly instance: string;
  readonly usage: [id: string, rev: number, consumed: number, level: number, idleMs: number][];
  readonly more: boolean;
}

export function reportIn(callout: Callout): Report {
  return callout.json as Report;
}

/** Ticks until the worker's interval has passed. Returns its report, which waits for an answer. */
export function nextReport(edge: Edge, worker = 0): Callout {
  edge.clock.advanceMs(REPORT_INTERVAL_MS);
  edge.worker(worker).tick();
  const report = edge.pendingReports.find((pending) => pending.vm === edge.worker(worker));
  if (report === undefined) throw new Error("no report was sent");
  return report;
}

export function rowOf(report: Callout, session: Session): Report["usage"][number] | undefined {
  return reportIn(report).usage.find(([id]) => id === session.id);
}
