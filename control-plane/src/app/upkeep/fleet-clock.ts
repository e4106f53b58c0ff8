// The clock by which leases are decided: it counts only while a control plane runs, and is the same for all that share a
// store (docs/decisions/0084-time-that-only-counts.md). Each life of the store has a count of its own.
import { CLOCKS_DIFFER_MS } from "../../domain/leases/clock-lead.js";
import type { NearFull } from "../../domain/leases/fleet-budget.js";
import { NOBODY } from "../../domain/leases/store-life.js";
import type { FleetMoment } from "../../domain/leases/store-life.js";
import type { FleetReading, FleetTime } from "../ports/fleet-time.js";
import type { FleetNow } from "../ports/lease-ports.js";
import type { Timers } from "../ports/log-ports.js";
import type { Clock } from "../ports/ports.js";

/** Where others share the store it is told twice in the time below. */
const TELL_SHARED_MS = 100;
const TELL_MS = 1000;
/**
 * The clock is never further ahead of what others can read: then it stands. Who decides goes by what the store has, if that is
 * much later: so no two decisions of one moment differ by CLOCKS_DIFFER_MS, no lease that one has given ends too soon by another, and no
 * time is credited twice.
 */
const MAX_AHEAD_MS = 200;
/** Of the last few seconds. */
const KEPT_TELLS = 32;
const KEPT_LEADS = 64;

export interface FleetClockParts {
  readonly machine: Pick<Clock, "monotonicMs">;
  /** Whether several control planes share the store. */
  readonly isShared: boolean;
  /** Another one for each process that ever ran: it stands in budgets, so a short one. */
  readonly name: string;
}

/** It told the store how late it is. */
interface Tell {
  /** What it told, ms. */
  readonly ms: number;
  /** How late it was when the store was known to have it. */
  readonly doneMs: number;
}

interface Base {
  readonly log: string;
  /** What it was at `sinceMs` of the monotonic clock. */
  readonly ms: number;
  readonly sinceMs: number;
}

export class FleetClock implements FleetNow {
  /** Undefined: it has not begun. */
  private base: Base | undefined;
  /** What the store certainly has in this life. */
  private toldMs = 0;
  /** How often it was set, or stood. */
  private sets = 0;
  /** The last ones under the present name, the oldest first. */
  private tells: readonly Tell[] = [];
  private leads = new Map<string, number>();

  constructor(private readonly parts: FleetClockParts) {}

  /** What the store had at the start, what was seen since, and the time that passed: within a life it never goes back. */
  now(): FleetMoment | undefined {
    if (this.base === undefined) return undefined;
    const { log } = this.base;
    const ms = this.msOf(this.base);
    return { log, ms, by: this.name, leads: this.leads };
  }

  see(log: string, atMs: number): void {
    // Of another life than it counts for: what the store has there says where to begin.
    if (this.base?.log === log && atMs > this.msOf(this.base)) this.setTo(log, atMs);
  }

  /**
   * What another clock wrote says by how much this one is ahead of it at most: of a time that the store did not have when the
   * other one decided, this one told it later, and it has not gone back since.
   */
  learn(log: string, by: string, { atMs, heardMs }: NearFull): void {
    const later = this.tells.find(({ ms }) => ms > heardMs);
    if (by === NOBODY || this.base?.log !== log || later === undefined) return;
    const leadMs = Math.max(0, later.doneMs - atMs);
    if (leadMs >= (this.leads.get(by) ?? CLOCKS_DIFFER_MS)) return;
    this.leads.set(by, leadMs);
    const [oldest] = this.leads.keys();
    if (this.leads.size > KEPT_LEADS && oldest !== undefined) this.leads.delete(oldest);
  }

  private get name(): string {
    return `${this.parts.name}.${this.sets.toString(36)}`;
  }

  /** Resolves once it counts, or the store could not be asked: then `follow` tries on. */
  async begin(store: FleetTime): Promise<void> {
    await this.tell(store);
  }

  /** Tells the store again and again, and hears of others by that. Returns how to end it: the store is told once more. */
  follow(store: FleetTime, timers: Timers): () => Promise<void> {
    let isOver = false;
    let cancel = (): void => undefined;
    const next = (): void => {
      cancel = timers.after(this.parts.isShared ? TELL_SHARED_MS : TELL_MS, () => void look());
    };
    const look = async (): Promise<void> => {
      await this.tell(store);
      if (!isOver) next();
    };
    next();
    return async () => {
      isOver = true;
      cancel();
      await this.tell(store);
    };
  }

  private async tell(store: FleetTime): Promise<void> {
    const now = this.now();
    try {
      // Time that passes meanwhile counts as far as the store had been told of it.
      this.heard(now === undefined ? await store.read() : await store.raise(now));
      this.noteTell(now);
    } catch {
      // Of the store, its health says what is wrong. Until it can be told the clock stands.
    }
  }

  private noteTell(told: FleetMoment | undefined): void {
    const now = this.now();
    if (told === undefined || told.by !== now?.by) return;
    this.tells = [...this.tells.slice(1 - KEPT_TELLS), { ms: told.ms, doneMs: now.ms }];
  }

  private heard({ log, ms }: FleetReading): void {
    if (this.base?.log === log) {
      this.see(log, ms);
      this.toldMs = Math.max(this.toldMs, ms);
    } else {
      this.toldMs = ms;
      this.setTo(log, ms);
    }
  }

  private msOf({ log, ms, sinceMs }: Base): number {
    const passedMs = Math.floor(this.parts.machine.monotonicMs() - sinceMs);
    const mostMs = this.parts.isShared ? Math.max(ms, this.toldMs + MAX_AHEAD_MS) : Infinity;
    if (ms + passedMs <= mostMs) return ms + Math.max(0, passedMs);
    // It is not made up for: another control plane may have begun from what the store has. Others are further ahead of it now,
    // and it is less ahead of them, and not at all of itself as it was.
    this.leads = new Map([...this.leads, [this.name, 0]]);
    this.sets += 1;
    this.beginFrom(log, mostMs);
    return mostMs;
  }

  /** Past what it has counted itself: what it said before is of a clock that was behind. */
  private setTo(log: string, ms: number): void {
    this.sets += 1;
    this.tells = [];
    this.leads = new Map();
    this.beginFrom(log, ms);
  }

  private beginFrom(log: string, ms: number): void {
    this.base = { log, ms, sinceMs: this.parts.machine.monotonicMs() };
  }
}
