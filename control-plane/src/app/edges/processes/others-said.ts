// What other processes over the same store have stored of edges' instances, as it comes into the registry.
import type { Instance } from "../../../domain/stored.js";
import type { EdgeCursor, EdgeStatus } from "../../ports/edge-status-ports.js";
import type { Clock } from "../../ports/ports.js";
import type { WatchRequest } from "../../ports/watch-ports.js";
import type { InstanceEntries } from "../status/instance-entries.js";
import { newEntry, STORED_LATE_MS } from "../status/registry-entry.js";
import { awaitedEntries, otherEntry } from "../status/stored-status.js";

/** That an instance has watched from there, here or at another process. */
export type WatchedFrom = Pick<WatchRequest, keyof Instance | "log" | "since">;

export interface OthersSaidParts {
  readonly entries: InstanceEntries;
  readonly clock: Clock;
  readonly watched: (watched: WatchedFrom) => void;
}

export class OthersSaid {
  constructor(private readonly parts: OthersSaidParts) {}

  /** The instances that processes which are no more have stored, at the start. @param heardUntilMs see `awaitedEntries` */
  await(process: string, stored: readonly EdgeStatus[], heardUntilMs: number): void {
    for (const entry of awaitedEntries(stored, this.parts.clock, heardUntilMs))
      this.parts.entries.putOther(process, entry);
  }

  /** What another process has stored of an instance. @param isThere whether that process still is */
  heard(process: string, status: EdgeStatus, isThere: boolean): void {
    const before = this.parts.entries.otherOf(process, status)?.lastWatch;
    const entry = otherEntry(status, this.parts.clock, isThere);
    const lastWatch = entry.lastWatch && notBefore(before, entry.lastWatch);
    this.parts.entries.putOther(process, { ...entry, lastWatch });
    if (lastWatch !== undefined) this.parts.watched(lastWatch);
  }

  /** That an instance has watched from there, at another process. Its status may come only after that. */
  heardCursor(process: string, { edge, instance, log, since }: EdgeCursor): void {
    const of = { edge, instance };
    const nowMs = this.parts.clock.monotonicMs();
    const known = this.parts.entries.get(of)?.lastWatch;
    if (known === undefined) return;
    const before = this.parts.entries.otherOf(process, of) ?? newEntry(of, nowMs);
    const lastWatch = { ...(before.lastWatch ?? known), log, since };
    const heard = { lastWatch, saidAtMs: nowMs, contactAtMs: nowMs, lateMs: STORED_LATE_MS, awaitedSinceMs: undefined };
    this.parts.entries.putOther(process, { ...before, ...heard });
    this.parts.watched(lastWatch);
  }

  /** Another process has removed an instance: it is gone there. */
  heardGone(process: string, instance: Instance): void {
    this.parts.entries.dropOther(process, instance);
  }

  /** Another process is there no more: nobody watches there. @param untilMs when it last was, monotonic */
  processEnded(process: string, untilMs: number): void {
    for (const entry of this.parts.entries.ofOther(process)) {
      if (entry.watches > 0) this.parts.entries.putOther(process, { ...entry, watches: 0, watchEndedAtMs: untilMs });
    }
  }

  /** Nothing is stored of another process any more. */
  processForgotten(process: string): void {
    for (const { of } of this.parts.entries.ofOther(process)) this.parts.entries.dropOther(process, of);
  }
}

/** A cursor may have come before the status that was written down before it: within one log it only grows. */
const notBefore = (before: WatchRequest | undefined, said: WatchRequest): WatchRequest =>
  before !== undefined && before.log === said.log && before.since > said.since
    ? { ...said, since: before.since }
    : said;
