// What became of each request of a run: when it was sent, when the service saw it, when and how it was answered.
import type { Decision } from "../../e2e/harness/decision-times.js";

export interface Entry {
  readonly session: number;
  readonly edge: number;
  readonly sentMs: number;
  /** When the service behind had it: then it had been admitted. Also of a request that got no answer, as its Envoy was killed. */
  servedMs?: number;
  answeredMs?: number;
  /** Of the answer; 0: there will be none. */
  status?: number;
}

export class Ledger {
  private readonly all: Entry[] = [];

  get entries(): readonly Entry[] {
    return this.all;
  }

  /** @returns its number */
  sent(session: number, edge: number, sentMs: number): number {
    return this.all.push({ session, edge, sentMs }) - 1;
  }

  /** The first time counts: an Envoy may send it to the service again. */
  served(number: number, atMs: number): void {
    const entry = this.all[number];
    if (entry !== undefined) entry.servedMs ??= atMs;
  }

  answered(number: number, status: number, atMs: number): void {
    const entry = this.all[number];
    if (entry === undefined) return;
    entry.status = status;
    entry.answeredMs = atMs;
  }
}

/** Those that were admitted: each between its sending and the moment in which the service had it. */
export function decisionsOf(entries: readonly Entry[]): Decision[] {
  return entries.flatMap(({ sentMs, servedMs }) => (servedMs === undefined ? [] : [{ sentMs, answeredMs: servedMs }]));
}
