// Use case: an edge watches. Its call is held until there is something to say: a policy, or entries of the log.
import { setImmediate as nextTurnOfLoop } from "node:timers/promises";

import { MAX_WATCH_ENTRIES, WATCH_HOLD_MS } from "../../../../assembly/contract.js";
import { instanceKey } from "../../domain/stored.js";
import type { LogPosition } from "../../domain/stored.js";
import type { EdgeRegistry } from "./status/edge-registry.js";
import { inTurns } from "./in-turns.js";
import { offerFor } from "./policy-offers.js";
import type { Timers, InvalidationLog } from "../ports/log-ports.js";
import type { PolicyPublisher } from "../ports/policy-ports.js";
import type { Clock, Logger } from "../ports/ports.js";
import { Propagation } from "./propagation.js";
import type { WatchAnswer, Watched, WatchMeter, WatchOutcome, WatchRequest } from "../ports/watch-ports.js";
import { logStoreFailure } from "../upkeep/store-keeping.js";
import { answeredBy, byPosition, newsIn, resetTo, unchangedAt } from "./watch-news.js";

/** Below the connections that the server takes, so that held calls leave some for everything else. */
const MAX_HELD = 8000;
/** Calls that a change of the policy answers a turn: some milliseconds. */
const WOKEN_A_TURN = 100;
/** The log could not be read: it is read again after so long. */
const RETRY_MS = 1000;

export interface WatchesParts {
  readonly log: InvalidationLog;
  readonly policies: PolicyPublisher;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly meter: WatchMeter;
  readonly logger: Logger;
  /** Hears of each watch, and of one that is held. */
  readonly instances: Pick<EdgeRegistry, "watched" | "watching" | "onWatched" | "count">;
  /** Calls held at a time. */
  readonly maxHeld?: number;
  /** Lets everything else have its turn. */
  readonly nextTurn?: () => Promise<unknown>;
}

interface Held {
  readonly request: WatchRequest;
  /** The answer that says nothing. */
  readonly unchanged: WatchAnswer;
  /** Takes the call out and answers it; the second time nothing happens. */
  readonly end: (outcome: WatchOutcome, answered: Watched) => void;
}

/**
 * A watch is held before the log is looked at for it, and every commit looks again for all that are held: so none
 * misses an invalidation, whenever that is committed. So does a log that has become another one: those that are held then
 * begin anew. The policy is looked at in the turn in which the call is held, and
 * each change looks again.
 */
export class Watches {
  private readonly held = new Map<string, Held>();
  private readonly propagation: Propagation;
  private readonly maxHeld: number;
  private readonly unsubscribe: readonly (() => void)[];
  private delivery: Promise<void> = Promise.resolve();
  private delivering = false;
  private advancedMeanwhile = false;
  private waking = false;
  private changedMeanwhile = false;
  private stopping = false;
  private cancelRetry: (() => void) | undefined;

  constructor(private readonly parts: WatchesParts) {
    const { log, clock, meter, policies, instances } = parts;
    this.maxHeld = parts.maxHeld ?? MAX_HELD;
    this.propagation = new Propagation(clock, (ms) => {
      meter.propagated(ms);
    });
    const advanced = log.subscribe((advance) => {
      this.propagation.advanced(advance);
      void this.deliver();
    });
    const changed = policies.subscribe(() => void this.offerToHeld());
    const heard = instances.onWatched((watched) => {
      this.propagation.passed(watched);
    });
    this.unsubscribe = [advanced, changed, heard];
  }

  /** Resolves when there is something to say, at the latest after the hold. `gone`: the caller hung up. */
  async watch(request: WatchRequest, gone: AbortSignal): Promise<Watched> {
    const position = await this.parts.log.position();
    this.noteWatch(request, position.log);
    const key = instanceKey(request);
    const older = this.held.get(key);
    older?.end("replaced", answeredBy(older.unchanged));
    // Before everything else: an edge without a policy can do nothing with what the log says.
    const offer = offerFor(this.parts, request, position.log);
    if (offer !== undefined) return this.ended(request, "policy", { outcome: "policy", offer });
    // An edge without a cursor begins at the head of the log: held here, it would miss what comes meanwhile.
    if (request.log === undefined) return this.ended(request, "first", answeredBy(unchangedAt(position)));
    if (request.log !== position.log) return this.ended(request, "reset", answeredBy(resetTo(position)));
    const since = { log: position.log, cursor: request.since };
    if (this.stopping || this.held.size >= this.maxHeld) return this.lookOnce(request, since);
    const answered = this.hold(request, unchangedAt(since), gone);
    void this.look(since, [this.held.get(key)]);
    return answered;
  }

  /** Calls held now. */
  heldCount(): number {
    return this.held.size;
  }

  /** Answers every held watch with what there is to say, and holds none from now on. */
  async stop(): Promise<void> {
    this.stopping = true;
    for (const unsubscribe of this.unsubscribe) unsubscribe();
    this.cancelRetry?.();
    await this.deliver();
    for (const { unchanged, end } of [...this.held.values()]) end("stopping", answeredBy(unchanged));
  }

  private noteWatch(request: WatchRequest, log: string): void {
    // Before others hear of it: what it was answered here it confirms here.
    this.propagation.watched(request);
    this.parts.instances.watched(request);
    if (request.policy?.log === log) this.parts.policies.shown(request.policy.generation);
  }

  private hold(request: WatchRequest, unchanged: WatchAnswer, gone: AbortSignal): Promise<Watched> {
    const key = instanceKey(request);
    const released = this.parts.instances.watching(request);
    return new Promise<Watched>((resolve) => {
      const held: Held = {
        request,
        unchanged,
        end: (outcome, answered) => {
          if (this.held.get(key) !== held) return;
          this.held.delete(key);
          cancelTimer();
          released();
          gone.removeEventListener("abort", hangUp);
          resolve(this.ended(request, outcome, answered));
        },
      };
      const hangUp = (): void => {
        held.end("gone", answeredBy(unchanged));
      };
      const cancelTimer = this.parts.timers.after(WATCH_HOLD_MS, () => {
        held.end("idle", answeredBy(unchanged));
      });
      this.held.set(key, held);
      gone.addEventListener("abort", hangUp);
      if (gone.aborted) hangUp();
    });
  }

  /** Answers all that are held and have not received the policy as it now is; a change meanwhile begins anew. */
  private async offerToHeld(): Promise<void> {
    this.changedMeanwhile = true;
    if (this.waking) return;
    this.waking = true;
    const { nextTurn = nextTurnOfLoop } = this.parts;
    while (this.changedMeanwhile) {
      this.changedMeanwhile = false;
      await inTurns([...this.held.values()], WOKEN_A_TURN, nextTurn, (held) => {
        const offer = offerFor(this.parts, held.request, held.unchanged.log);
        if (offer !== undefined) held.end("policy", { outcome: "policy", offer });
      });
    }
    // In the same turn as the last check, as below.
    this.waking = false;
  }

  private async lookOnce(request: WatchRequest, since: LogPosition): Promise<Watched> {
    const news = newsIn(await this.parts.log.read(since, MAX_WATCH_ENTRIES));
    if (news !== undefined) return this.ended(request, news.outcome, answeredBy(news.answer));
    this.parts.meter.watchEnded("busy");
    return { outcome: "busy" };
  }

  private ended(request: WatchRequest, outcome: WatchOutcome, answered: Watched): Watched {
    this.parts.meter.watchEnded(outcome);
    if (answered.outcome === "answered") this.propagation.answered(request, answered.answer);
    return answered;
  }

  /** Looks for all that are held; a commit meanwhile makes it look again. One look at a time, one for each cursor. */
  private deliver(): Promise<void> {
    this.advancedMeanwhile = true;
    if (!this.delivering) this.delivery = this.deliverAll();
    return this.delivery;
  }

  private async deliverAll(): Promise<void> {
    this.delivering = true;
    while (this.advancedMeanwhile) {
      this.advancedMeanwhile = false;
      for (const { since, those } of byPosition(this.held.values())) await this.look(since, those);
    }
    // In the same turn as the last check: a commit after it finds that nobody delivers.
    this.delivering = false;
  }

  /** Answers these, all of one position, if the log has entries past it or is another one. */
  private async look(since: LogPosition, those: readonly (Held | undefined)[]): Promise<void> {
    try {
      const news = newsIn(await this.parts.log.read(since, MAX_WATCH_ENTRIES));
      if (news === undefined) return;
      for (const held of those) held?.end(news.outcome, answeredBy(news.answer));
    } catch (error) {
      // The calls stay held: the next look, or the end of their hold, answers them.
      logStoreFailure(this.parts.logger, error, { event: "watch-failed" }, "the log could not be read for watches");
      this.lookAgain();
    }
  }

  /** What a failed look was to find may have no commit after it. */
  private lookAgain(): void {
    if (this.stopping) return;
    this.cancelRetry ??= this.parts.timers.after(RETRY_MS, () => {
      this.cancelRetry = undefined;
      void this.deliver();
    });
  }
}
