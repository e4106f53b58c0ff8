// Counters of a report, read leniently: whatever they are, its rows count.
import { Type } from "typebox";

import { MAX_REPORT_COUNTERS_BYTES } from "../../../../assembly/contract.js";
import type { SaidOfCounter } from "../../domain/figures/counted-by-worker.js";

/** More than have room, with a name of a character each. */
const MAX_COUNTERS = MAX_REPORT_COUNTERS_BYTES / 8;

/** Each is read by itself, so not even an object is insisted on. */
export const Counters = Type.Unknown({
  description:
    "an object: by counter of the worker, [what the last answered report said, what it is now]; only those that changed since. " +
    "One that cannot be is dropped, counted and logged",
});

export interface CountersReading {
  readonly counters: readonly SaidOfCounter[];
  /** Names of entries that are none. */
  readonly malformed: readonly string[];
}

/** Of what `counters` says; undefined: an older filter. */
export function readCounters(value: unknown): CountersReading {
  if (value === undefined) return { counters: [], malformed: [] };
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { counters: [], malformed: ["counters"] };
  const counters: SaidOfCounter[] = [];
  const malformed: string[] = [];
  for (const [name, entry] of Object.entries(value)) {
    const [acknowledged, now] = Array.isArray(entry) ? (entry as unknown[]) : [];
    const isSaid = isWhole(acknowledged) && isWhole(now) && acknowledged <= now;
    if (isSaid && counters.length < MAX_COUNTERS) counters.push({ name, acknowledged, now });
    else malformed.push(name);
  }
  return { counters, malformed };
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
