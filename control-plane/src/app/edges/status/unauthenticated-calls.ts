// Edge calls that were denied for their credential: by the name that they claim and the address that they come from.
import { LogLineRate } from "../../access/log-line-rate.js";
import { networkOf } from "../../access/network.js";
import type { Clock, Logger } from "../../ports/ports.js";

/** Whoever can reach the port can claim any name: past so many the least recent is dropped. */
const MAX_ENTRIES = 100;
const MAX_NAME_CHARS = 256;
/** The log has one line an entry in so long, and so many lines in all. */
const LOGGED_EACH_MS = 60_000;
const MAX_LINES_A_MINUTE = 20;

/** Times are ms since the epoch. Nothing of it is proven. */
export interface UnauthenticatedCaller {
  /** Empty where the call claims none. */
  readonly claimedEdge: string;
  /** Of its last call; all addresses of an IPv6 network are one caller. */
  readonly address: string;
  readonly calls: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

interface Entry extends UnauthenticatedCaller {
  /** Monotonic ms. */
  readonly loggedAtMs: number;
}

export interface UnauthenticatedParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counted: () => void;
}

export class UnauthenticatedCalls {
  /** The most recent is the last. */
  private readonly entries = new Map<string, Entry>();
  private readonly lines: LogLineRate;

  constructor(private readonly parts: UnauthenticatedParts) {
    this.lines = new LogLineRate(parts.clock, MAX_LINES_A_MINUTE);
  }

  denied(claimed: string, address: string): void {
    const { clock, counted } = this.parts;
    counted();
    const claimedEdge = claimed.slice(0, MAX_NAME_CHARS);
    const key = `${networkOf(address)} ${claimedEdge}`;
    const at = clock.nowMs();
    const before = this.entries.get(key);
    this.entries.delete(key);
    const [leastRecent] = this.entries.size < MAX_ENTRIES ? [] : this.entries.keys();
    if (leastRecent !== undefined) this.entries.delete(leastRecent);
    const caller = {
      claimedEdge,
      address,
      calls: (before?.calls ?? 0) + 1,
      firstAt: before?.firstAt ?? at,
      lastAt: at,
    };
    const loggedAtMs = this.log(caller, before?.loggedAtMs ?? -Infinity);
    this.entries.set(key, { ...caller, loggedAtMs });
  }

  /** The most recent first. */
  list(): UnauthenticatedCaller[] {
    return [...this.entries.values()]
      .map(({ claimedEdge, address, calls, firstAt, lastAt }) => ({ claimedEdge, address, calls, firstAt, lastAt }))
      .reverse();
  }

  /** Answers when the caller was last logged. */
  private log(caller: UnauthenticatedCaller, loggedAtMs: number): number {
    const nowMs = this.parts.clock.monotonicMs();
    if (nowMs - loggedAtMs < LOGGED_EACH_MS || this.lines.take() === undefined) return loggedAtMs;
    const { claimedEdge, address, calls } = caller;
    const who = claimedEdge === "" ? "a caller" : `a caller that claims to be edge ${claimedEdge}`;
    const fields = { event: "edge-unauthenticated", claimedEdge, address, calls };
    this.parts.logger.warn(fields, `${who}, from ${address}, was denied: its secret differs from the control plane's`);
    return nowMs;
  }
}
