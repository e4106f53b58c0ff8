// What an operator is warned of beside an edge's state: two Envoys with one name, a clock that is off. Pure.
import { doubleOf } from "./double-edges.js";
import type { ClockOfMost } from "./edge-clocks.js";
import type { KnownInstance } from "./registry-entry.js";

/** Two Envoys that go by one name: they watch side by side. */
export interface DoubleView {
  readonly tableName: string;
  /** Of both. One: they share it, or a proxy in between hides theirs. */
  readonly addresses: readonly string[];
  /** Since when both have been there, ms since the epoch. */
  readonly since: number;
}

export interface EdgeWarnings {
  /** Null: no two of its instances are there side by side. */
  readonly double: DoubleView | null;
  /** Of the instance that is furthest from the control plane's clock. */
  readonly clockOffsetMs: number | null;
  /** Its clock is off, by more than a minute, and the control plane's is not. */
  readonly clockOff: boolean;
}

export interface WarningParts {
  /** ms since the epoch. */
  readonly wallMs: number;
  readonly clockOfMost: ClockOfMost | null;
}

/** Of one edge's instances. */
export function edgeWarnings(known: readonly KnownInstance[], { wallMs, clockOfMost }: WarningParts): EdgeWarnings {
  const double = doubleOf(known);
  const clocks = known.map(({ clock }) => clock).filter((clock) => clock !== null);
  const [furthest] = clocks.sort((one, other) => Math.abs(other.offsetMs) - Math.abs(one.offsetMs));
  return {
    double: double && {
      tableName: double.tableName,
      addresses: double.addresses,
      since: Math.round(wallMs - double.sinceAgeMs),
    },
    clockOffsetMs: furthest === undefined ? null : Math.round(furthest.offsetMs),
    clockOff: clockOfMost === null && furthest?.isOff === true,
  };
}
