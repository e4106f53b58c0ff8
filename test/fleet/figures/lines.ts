// The lines of a run: one a second while it goes on, and one at its end.
import type { Figures } from "./figures.js";

/** Counted up to now, or within the last second. */
export interface Calls {
  /** Of the edges for leases. */
  readonly lease: number;
  /** Of the edges to the control planes, those for leases among them. */
  readonly all: number;
  /** Requests that found no lease, and waited for one. */
  readonly waits: number;
}

const count = (value: number): string => Math.round(value).toLocaleString("en");
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

export function liveLine(second: number, { admitted, bound, use, over }: Figures, calls: Calls): string {
  const said = [
    `${second} s:`.padStart(6),
    `admitted ${count(admitted)}`.padEnd(15),
    `of at most ${count(bound)}`.padEnd(18),
    `use ${percent(use)}`.padEnd(11),
    `over ${count(Math.ceil(over))}`.padEnd(8),
    `${count(calls.lease)} lease calls/s (${count(calls.all)} calls/s)`,
  ];
  return said.join("  ");
}

export function lastLine(seconds: number, figures: Figures, calls: Calls): string {
  const { admitted, bound, use, useAfterRests, over } = figures;
  const perThousand = (1000 * calls.lease) / Math.max(admitted, 1);
  return [
    `total of ${count(seconds)} s: admitted ${count(admitted)} of at most ${count(bound)}`,
    `over-admission ${count(Math.ceil(over))} in the worst windows of the sessions`,
    useAfterRests === null
      ? `use ${percent(use)}`
      : `use ${percent(use)} (${percent(useAfterRests)} by sessions that rest in between)`,
    `${count(calls.lease)} lease calls (${perThousand.toFixed(1)} per 1,000 admitted) of ${count(calls.all)} calls`,
    answersSaid(figures),
  ].join("; ");
}

function answersSaid({ answers }: Figures): string {
  const said = Object.entries(answers).map(([status, times]) => `${status} × ${count(times)}`);
  return `answers: ${said.join(", ") || "none"}`;
}
