// Whether two Envoys go by one name: two instances of one edge and one table that watch side by side. Pure
// (docs/decisions/0062-one-name-one-envoy.md).
import { WATCH_HOLD_MS } from "../../../../../assembly/contract.js";
import type { KnownInstance } from "./registry-entry.js";
import { BREAK_MS } from "./watch-run.js";

/**
 * From two addresses. An Envoy whose machine is gone seems to watch until its call's hold is over: by then the one in its
 * place has been there for less than this.
 */
const FROM_TWO_ADDRESSES_MS = WATCH_HOLD_MS + 10_000;
/**
 * From one address, which a proxy in between may be. During a hot restart Envoy's former process goes on for 15 minutes,
 * unless told otherwise (--parent-shutdown-time-s), and its successor watches some seconds before that begins.
 */
const FROM_ONE_ADDRESS_MS = 16 * 60_000;
/** Those with the latest contact: of more that watch, two among these do too. */
const MAX_LOOKED_AT = 16;

export interface DoubleEdge {
  readonly tableName: string;
  /** Of both. One: they share it, or a proxy hides theirs. */
  readonly addresses: readonly string[];
  /** ms since both have watched. */
  readonly sinceAgeMs: number;
}

/** Of one edge's instances. Null: no two of them are there side by side, as far as can be told. */
export function doubleOf(known: readonly KnownInstance[]): DoubleEdge | null {
  const here = known.filter(({ run }) => run !== null && run.untilAgeMs <= BREAK_MS).slice(-MAX_LOOKED_AT);
  for (const [at, one] of here.entries()) {
    for (const other of here.slice(at + 1)) {
      const double = doubleOfTwo(one, other);
      if (double !== null) return double;
    }
  }
  return null;
}

/** Null also where a filter does not say which table it has, or has not called this process yet. */
export function doubleOfTwo(one: KnownInstance, other: KnownInstance): DoubleEdge | null {
  const tableName = one.lastWatch?.table?.name;
  if (tableName === undefined || tableName !== other.lastWatch?.table?.name) return null;
  if (one.run === null || other.run === null || one.isAwaited || other.isAwaited) return null;
  const sinceAgeMs = Math.min(one.run.sinceAgeMs, other.run.sinceAgeMs);
  const togetherMs = sinceAgeMs - Math.max(one.run.untilAgeMs, other.run.untilAgeMs);
  const isApart = haveNoneInCommon(one.run.addresses, other.run.addresses);
  if (togetherMs < (isApart ? FROM_TWO_ADDRESSES_MS : FROM_ONE_ADDRESS_MS)) return null;
  const addresses = [...new Set([...one.run.addresses, ...other.run.addresses])].sort();
  return { tableName, addresses, sinceAgeMs };
}

/** An Envoy that leaves by several networks is seen at each of them, so its former life was, too. */
const haveNoneInCommon = (one: readonly string[], other: readonly string[]): boolean =>
  one.length > 0 && other.length > 0 && !one.some((address) => other.includes(address));
