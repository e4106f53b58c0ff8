// Use case: an edge watches the log of withdrawals. Its call is held until there is something to say.
import { MAX_WATCH_ENTRIES, WATCH_HOLD_MS } from "../../../assembly/contract.js";
import type { LogReading, Timers, WithdrawalLog } from "./log-ports.js";
import type { Clock, Logger } from "./ports.js";
import { Propagation } from "./propagation.js";
import type { Instance } from "./usage-ports.js";
import type { WatchAnswer, Watched, WatchMeter, WatchOutcome, WatchRequest } from "./watch-ports.js";
import { Watchers, watcherKey } from "./watchers.js";
import type { WatchWord } from "./watchers.js";

/** Below the connections that the server takes, so that held calls leave some for everything else. */
const MAX_HELD = 8000;

export interface WatchesParts {
  readonly log: WithdrawalLog;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly meter: WatchMeter;
  readonly logger: Logger;
  /** Hears of a watch that is held. Answers how to say that it is not any more. */
  readonly instances: { watching(instance: Instance): () => void };
  /** Calls held at a time. */
  readonly maxHeld?: number;
}

interface Held {
  /** The answer that says nothing: its cursor is the place that was asked about. */
  readonly unchanged: WatchAnswer;
  /** Takes the call out and answers it; the second time nothing happens. */
  readonly end: (outcome: WatchOutcome, answer: WatchAnswer) => void;
}

/**
 * A watch is held before the log is looked at for it, and every commit looks again for all that are held: so none
 * misses a withdrawal, whenever that is committed.
 */
export class Watches {
  private readonly held = new Map<string, Held>();
  private readonly watchers: Watchers;
  private readonly propagation: Propagation;
  private readonly maxHeld: number;
  private readonly unsubscribe: () => void;
  private delivery: Promise<void> = Promise.resolve();
  private delivering = false;
  private advancedMeanwhile = false;
  private stopping = false;

  constructor(private readonly parts: WatchesParts) {
    const { log, clock, meter } = parts;
    this.maxHeld = parts.maxHeld ?? MAX_HELD;
    this.watchers = new Watchers(this.maxHeld);
    this.propagation = new Propagation(clock, (ms) => {
      meter.propagated(ms);
    });
    this.unsubscribe = log.subscribe((advance) => {
      this.propagation.advanced(advance);
      void this.deliver();
    });
  }

  /** Resolves when there is something to say, at the latest after the hold. `gone`: the caller hung up. */
  async watch(request: WatchRequest, gone: AbortSignal): Promise<Watched> {
    const position = await this.parts.log.position();
    this.heard(request, position.log);
    // An edge without a place in the log begins at its head: held here, it would miss what comes meanwhile.
    if (request.log === undefined) return this.ended("first", { ...position, revoked: [], refresh: [] });
    if (request.log !== position.log) return this.ended("reset", resetTo(position));
    const { since } = request;
    const unchanged: WatchAnswer = { log: position.log, cursor: since, revoked: [], refresh: [] };
    const key = watcherKey(request);
    const older = this.held.get(key);
    older?.end("replaced", older.unchanged);
    if (this.stopping || this.held.size >= this.maxHeld) return this.lookOnce(since);
    const answered = this.hold(request, unchanged, gone);
    void this.look(since, [this.held.get(key)]);
    return answered;
  }

  /** What an instance said with its last watch. */
  lastOf(instance: Instance): WatchWord | undefined {
    return this.watchers.lastOf(instance);
  }

  /** Calls held now. */
  heldCount(): number {
    return this.held.size;
  }

  /** Answers every held watch with what there is to say, and holds none from now on. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.unsubscribe();
    await this.deliver();
    for (const { unchanged, end } of [...this.held.values()]) end("stopping", unchanged);
  }

  private heard(request: WatchRequest, log: string): void {
    const before = this.watchers.called(request, this.parts.clock.nowMs());
    if (request.log === log && before?.log === log) this.propagation.passed(before.since, request.since);
  }

  private hold(instance: Instance, unchanged: WatchAnswer, gone: AbortSignal): Promise<Watched> {
    const key = watcherKey(instance);
    const released = this.parts.instances.watching(instance);
    return new Promise<Watched>((resolve) => {
      const held: Held = {
        unchanged,
        end: (outcome, answer) => {
          if (this.held.get(key) !== held) return;
          this.held.delete(key);
          cancelTimer();
          released();
          gone.removeEventListener("abort", hangUp);
          resolve(this.ended(outcome, answer));
        },
      };
      const hangUp = (): void => {
        held.end("gone", unchanged);
      };
      const cancelTimer = this.parts.timers.after(WATCH_HOLD_MS, () => {
        held.end("idle", unchanged);
      });
      this.held.set(key, held);
      gone.addEventListener("abort", hangUp);
      if (gone.aborted) hangUp();
    });
  }

  private async lookOnce(since: number): Promise<Watched> {
    const news = newsIn(await this.parts.log.read(since, MAX_WATCH_ENTRIES));
    if (news !== undefined) return this.ended(news.outcome, news.answer);
    this.parts.meter.watchEnded("busy");
    return { outcome: "busy" };
  }

  private ended(outcome: WatchOutcome, answer: WatchAnswer): Watched {
    this.parts.meter.watchEnded(outcome);
    return { outcome: "answered", answer };
  }

  /** Looks for all that are held; a commit meanwhile makes it look again. One look at a time, one for each place. */
  private deliver(): Promise<void> {
    this.advancedMeanwhile = true;
    if (!this.delivering) this.delivery = this.deliverAll();
    return this.delivery;
  }

  private async deliverAll(): Promise<void> {
    this.delivering = true;
    while (this.advancedMeanwhile) {
      this.advancedMeanwhile = false;
      const byPlace = new Map<number, Held[]>();
      for (const held of this.held.values()) {
        const { cursor } = held.unchanged;
        const those = byPlace.get(cursor);
        if (those === undefined) byPlace.set(cursor, [held]);
        else those.push(held);
      }
      for (const [since, those] of byPlace) await this.look(since, those);
    }
    // In the same turn as the last check: a commit after it finds that nobody delivers.
    this.delivering = false;
  }

  /** Answers these, all of one place, if the log says something past it. */
  private async look(since: number, those: readonly (Held | undefined)[]): Promise<void> {
    try {
      const news = newsIn(await this.parts.log.read(since, MAX_WATCH_ENTRIES));
      if (news === undefined) return;
      for (const held of those) held?.end(news.outcome, news.answer);
    } catch (error) {
      // The calls stay held: the next commit, or the end of their hold, answers them.
      this.parts.logger.error({ type: "watch-failed", error: String(error) }, "the log could not be read for watches");
    }
  }
}

const resetTo = (position: { log: string; cursor: number }): WatchAnswer => ({ reset: true, ...position });

/** What a reading says to an edge, undefined where it says nothing. */
function newsIn(reading: LogReading): { outcome: WatchOutcome; answer: WatchAnswer } | undefined {
  if (reading.kind === "outOfReach") return { outcome: "reset", answer: resetTo(reading.position) };
  if (reading.entries.length === 0) return undefined;
  const named = (wanted: "revoked" | "refresh"): string[] => [
    ...new Set(reading.entries.filter(({ kind }) => kind === wanted).map(({ sessionId }) => sessionId)),
  ];
  return { outcome: "entries", answer: { ...reading.position, revoked: named("revoked"), refresh: named("refresh") } };
}
