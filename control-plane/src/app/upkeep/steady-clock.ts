// The clock that everything is decided by: the machine's wall clock, whose jumps count only once they have lasted
// (docs/decisions/0054-a-jump-waits-for-a-grace.md).
import { graceMs as graceOf } from "../../domain/idleness.js";
import { drifted, elapsedMs, firstTimeline, jumped, presentOffsetMs } from "../../domain/timelines.js";
import type { Timelines } from "../../domain/timelines.js";
import { WITHOUT_POLICY_MS } from "../edges/status/report-window.js";
import type { Timers } from "../ports/log-ports.js";
import type { Clock, CurrentPolicy, Logger, SteadyClock } from "../ports/ports.js";

/** By more than this the wall clock does not drift between two looks: it was set, or the machine slept. */
export const JUMP_MS = 2000;
const LOOK_EVERY_MS = 1000;
/** A process that was stopped between its two readings sees a jump where there is none. */
const READ_WITHIN_MS = 200;
const MAX_READINGS = 5;

export type JumpDirection = "forward" | "backward";

export interface SteadyTimeParts {
  readonly machine: Clock;
  readonly logger: Logger;
  /** By which a jump must have lasted for two reports and a sweep. */
  readonly policies: CurrentPolicy;
}

export class SteadyTime implements SteadyClock {
  readonly jumps: Record<JumpDirection, number> = { forward: 0, backward: 0 };
  private timelines: Timelines;
  /** Seen, and not taken over yet. */
  private pending: { readonly offsetMs: number; readonly sinceMs: number } | undefined;
  /** Before a grace has passed since the start nothing says that the clock is right: then the newest one counts. */
  private trustedSinceMs: number;
  private isTrusted = false;

  constructor(private readonly parts: SteadyTimeParts) {
    const { wallMs, monotonicMs } = readBoth(parts.machine);
    this.timelines = firstTimeline(wallMs - monotonicMs);
    this.trustedSinceMs = monotonicMs;
  }

  nowMs(): number {
    const { wallMs, monotonicMs } = this.look();
    return this.pending === undefined ? wallMs : Math.floor(monotonicMs + presentOffsetMs(this.timelines));
  }

  monotonicMs(): number {
    return this.parts.machine.monotonicMs();
  }

  elapsedMs(sinceMs: number): number {
    const { monotonicMs } = this.look();
    return elapsedMs(this.timelines, sinceMs, monotonicMs);
  }

  isSettled(): boolean {
    this.look();
    return this.isTrusted && this.pending === undefined;
  }

  endsNotBeforeMs(createdAtMs: number): number {
    this.look();
    const trustedSinceMs = this.trustedSinceMs + presentOffsetMs(this.timelines);
    return this.isTrusted || createdAtMs >= trustedSinceMs ? -Infinity : trustedSinceMs + this.graceMs();
  }

  /** By how much the machine's wall clock is ahead of this one; 0 unless a jump waits. */
  waitingJumpMs(): number {
    this.look();
    return this.pending === undefined ? 0 : this.pending.offsetMs - presentOffsetMs(this.timelines);
  }

  /**
   * The wall clock is another one from now on, as once the clock of a shared store is known: no jump, and nothing that has
   * to last. What is from before waits for a grace, as at a start.
   */
  beginAnew(): void {
    const { wallMs, monotonicMs } = readBoth(this.parts.machine);
    this.timelines = firstTimeline(wallMs - monotonicMs);
    this.pending = undefined;
    this.trustedSinceMs = monotonicMs;
    this.isTrusted = false;
  }

  /** Looks each second, so that no jump goes by unseen. Returns how to end that. */
  follow(timers: Timers): () => void {
    let cancel = (): void => undefined;
    const next = (): void => {
      cancel = timers.after(LOOK_EVERY_MS, () => {
        this.look();
        next();
      });
    };
    next();
    return () => {
      cancel();
    };
  }

  private look(): Readings {
    const readings = readBoth(this.parts.machine);
    const { wallMs, monotonicMs } = readings;
    const offsetMs = wallMs - monotonicMs;
    const graceMs = this.graceMs();
    if (monotonicMs - this.trustedSinceMs >= graceMs) this.isTrusted = true;
    const movedMs = offsetMs - presentOffsetMs(this.timelines);
    if (Math.abs(movedMs) <= JUMP_MS) {
      if (this.pending !== undefined) this.takenBack(this.pending.offsetMs - offsetMs);
      this.timelines = drifted(this.timelines, offsetMs);
      return readings;
    }
    const lastMs = this.pending?.offsetMs ?? presentOffsetMs(this.timelines);
    const isAnother = Math.abs(offsetMs - lastMs) > JUMP_MS;
    if (isAnother) this.noticed(offsetMs - lastMs, graceMs);
    const sinceMs = isAnother ? monotonicMs : (this.pending?.sinceMs ?? monotonicMs);
    this.pending = { offsetMs, sinceMs };
    if (!this.isTrusted || monotonicMs - sinceMs >= graceMs) this.takeOver(movedMs, offsetMs, monotonicMs);
    return readings;
  }

  private graceMs(): number {
    const policy = this.parts.policies.current()?.policy;
    return policy === undefined ? WITHOUT_POLICY_MS : graceOf(policy);
  }

  private noticed(jumpMs: number, graceMs: number): void {
    this.jumps[jumpMs > 0 ? "forward" : "backward"] += 1;
    const then = this.isTrusted
      ? `in ${inSeconds(graceMs)} this counts, unless the clock is set right until then`
      : `nothing is removed by it for ${inSeconds(graceMs)}`;
    this.parts.logger.error(
      { event: "clock-jumped", jumpMs: Math.round(jumpMs), graceMs },
      `the wall clock jumped ${jumpMs > 0 ? "ahead" : "back"} by ${inSeconds(Math.abs(jumpMs))}: ${then}`,
    );
  }

  private takenBack(jumpMs: number): void {
    this.pending = undefined;
    this.jumps[jumpMs > 0 ? "backward" : "forward"] += 1;
    const fields = { event: "clock-jump-undone", jumpMs: Math.round(-jumpMs) };
    this.parts.logger.warn(fields, "the wall clock is back where it was: the jump counted for nothing");
  }

  private takeOver(jumpMs: number, offsetMs: number, atMs: number): void {
    this.timelines = jumped(this.timelines, offsetMs, atMs);
    this.pending = undefined;
    if (!this.isTrusted) this.trustedSinceMs = atMs;
    const fields = { event: "clock-jump-counts", jumpMs: Math.round(jumpMs) };
    this.parts.logger.warn(fields, `the wall clock's jump of ${inSeconds(jumpMs)} counts from now on`);
  }
}

interface Readings {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

function readBoth(machine: Clock): Readings {
  for (let tries = 1; ; tries++) {
    const beforeMs = machine.monotonicMs();
    const wallMs = machine.nowMs();
    const monotonicMs = machine.monotonicMs();
    if (monotonicMs - beforeMs <= READ_WITHIN_MS || tries === MAX_READINGS) return { wallMs, monotonicMs };
  }
}

const inSeconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
