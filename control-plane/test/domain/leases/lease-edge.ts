// What an edge's table has of a session under a fleet plan, as the filter keeps it: levels, marks, and the lease's end.
import { ANSWER_VALID_MS } from "../../../../assembly/contract.js";
import { amountIn } from "../../../src/domain/leases/amounts.js";
import type { Amounts } from "../../../src/domain/leases/fleet-budget.js";
import type { LeaseAnswer, LeaseAsk } from "../../../src/domain/leases/lease-ask.js";

interface Annex {
  /** Last marked. */
  ask: number;
  /** Marks whose answer was not taken. */
  pending: number;
  readonly levels: Map<string, number>;
  leaseEndMs: number;
  touchedMs: number;
}

export interface SentAsk {
  readonly ask: LeaseAsk;
  readonly askedAtMs: number;
  /** Tells what is settled by it from copies of it. */
  readonly id: number;
}

export interface Demand {
  readonly cost: Amounts;
  readonly want: Amounts;
}

let lastId = 0;

export class ModelEdge {
  annex: Annex | undefined;
  /** Until then a request that costs as much is denied without an ask. */
  retryAtMs = 0;
  private life = 1;
  /** Number of the annex before, of the same record. */
  private formerAsk = 0;
  private settled: Record<string, number> = {};

  constructor(readonly name: string) {}

  get instance(): string {
    return String(this.life);
  }

  /** In the life of that instance, of which it is a further record. */
  begunAs(instance: string): void {
    this.life = Number(instance);
  }

  /** Whether the lease covered the request. */
  spend(nowMs: number, cost: Amounts): boolean {
    const { annex } = this;
    if (annex === undefined || nowMs >= annex.leaseEndMs) return false;
    if (Object.entries(cost).some(([name, amount]) => (annex.levels.get(name) ?? 0) < amount)) return false;
    for (const [name, amount] of Object.entries(cost)) annex.levels.set(name, (annex.levels.get(name) ?? 0) - amount);
    annex.touchedMs = nowMs;
    return true;
  }

  left(nowMs: number, name: string): number {
    const level = this.annex?.levels.get(name) ?? 0;
    return this.annex !== undefined && nowMs < this.annex.leaseEndMs ? level : Math.min(level, 0);
  }

  charge(nowMs: number, name: string, amount: number, most: number): void {
    this.annex?.levels.set(name, Math.max(this.left(nowMs, name) - amount, -most));
  }

  refund(name: string, amount: number): void {
    this.settled[name] = (this.settled[name] ?? 0) + amount;
  }

  /** Marks, where there is a record; an acquire where there is none. */
  ask(nowMs: number, { cost, want }: Demand): SentAsk {
    return this.sent(nowMs, cost, want, {});
  }

  /** Gives back what is left. */
  giveBack(nowMs: number): SentAsk | undefined {
    if (this.annex === undefined) return undefined;
    const back = new Map([...this.annex.levels.keys()].map((name) => [name, Math.max(0, this.left(nowMs, name))]));
    for (const [name, level] of this.annex.levels) this.annex.levels.set(name, Math.min(level, 0));
    return this.sent(nowMs, {}, {}, Object.fromEntries(back));
  }

  private sent(nowMs: number, cost: Amounts, want: Amounts, back: Amounts): SentAsk {
    const { annex, settled } = this;
    const asker = { edge: this.name, instance: this.instance };
    lastId += 1;
    const of = { askedAtMs: nowMs, id: lastId };
    if (annex === undefined) {
      const nothing = { ask: 0, at: Math.floor(nowMs), applied: 0, left: {}, back: {}, settled: {} };
      return { ask: { ...asker, ...nothing, cost, want }, ...of };
    }
    this.settled = {};
    for (const name of annex.levels.keys()) annex.levels.set(name, this.left(nowMs, name));
    annex.ask += 1;
    annex.pending += 1;
    const left = Object.fromEntries(annex.levels);
    const numbers = { ask: annex.ask, applied: annex.ask - annex.pending };
    return { ask: { ...asker, ...numbers, left, back, settled, cost, want }, ...of };
  }

  /** An answer that came, perhaps late and perhaps twice. */
  take(nowMs: number, { ask, askedAtMs }: SentAsk, answer: LeaseAnswer): void {
    if (ask.instance !== this.instance) return;
    const { annex } = this;
    if (ask.ask === 0) {
      if (annex === undefined && nowMs - askedAtMs <= ANSWER_VALID_MS) this.begin(nowMs, askedAtMs, answer);
      return;
    }
    if (annex?.ask !== ask.ask || annex.pending === 0) return;
    if (answer.is !== undefined) {
      annex.ask = answer.is;
      annex.pending = 1;
      return;
    }
    const names = new Set([...Object.keys(answer.granted), ...annex.levels.keys()]);
    for (const name of names) {
      const debt = Math.max(0, -amountIn(ask.left, name));
      annex.levels.set(name, this.left(nowMs, name) + amountIn(answer.granted, name) + debt);
    }
    annex.pending = 0;
    annex.leaseEndMs = Math.max(annex.leaseEndMs, askedAtMs + answer.ttlMs);
    this.noteRetry(nowMs, answer);
  }

  private begin(nowMs: number, askedAtMs: number, answer: LeaseAnswer): void {
    const isNew = answer.ask > this.formerAsk;
    this.annex = {
      ask: isNew ? answer.ask : this.formerAsk,
      pending: 0,
      levels: new Map(isNew ? Object.entries(answer.granted) : []),
      leaseEndMs: askedAtMs + answer.ttlMs,
      touchedMs: nowMs,
    };
    this.noteRetry(nowMs, answer);
  }

  private noteRetry(nowMs: number, { refused }: LeaseAnswer): void {
    this.retryAtMs = refused === undefined ? 0 : nowMs + refused.retryAfterMs;
  }

  /** Its annex has another tag: the next answer makes a new one. */
  replace(): void {
    this.formerAsk = Math.max(this.formerAsk, this.annex?.ask ?? 0);
    this.annex = undefined;
  }

  /** Only a record that was not touched for a while may be evicted. */
  evict(nowMs: number): void {
    if (this.annex === undefined || nowMs - this.annex.touchedMs <= ANSWER_VALID_MS) return;
    this.annex = undefined;
    this.formerAsk = 0;
  }

  die(): void {
    this.life += 1;
    this.annex = undefined;
    this.formerAsk = 0;
    this.settled = {};
  }
}
