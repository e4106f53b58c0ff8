// What is known of the sessions of a fleet's life without the control plane's code: which answers count, and what may be spent.
import { expect } from "vitest";

import { LEASE_GRACE_MS, LEASE_REPEAT_MS, LEASE_TTL_MS } from "../../../assembly/contract.js";
import { isNothing } from "../../src/domain/leases/amounts.js";
import { bucketsOfPlan } from "../../src/domain/leases/exact-level.js";
import type { Amounts } from "../../src/domain/leases/fleet-budget.js";
import type { LeaseAnswer } from "../../src/domain/leases/lease-ask.js";
import type { PlanOfPolicy } from "../../src/domain/plan.js";
import { ModelEdge } from "../domain/leases/lease-edge.js";
import type { SentAsk } from "../domain/leases/lease-edge.js";
import { FleetBound } from "./fleet-life-bound.js";

export const EDGES = ["gw-1", "gw-2", "gw-3"] as const;
/** Numbers of asks: by so much an acquire's is above the last one, and by so much each is where commits may be lost. */
const [OF_A_RECORD, OF_LOST_COMMITS] = [4096, 65_536];
/** For so long a life of the store grants nothing to sessions that are older. */
export const FROZEN_MS = LEASE_TTL_MS + LEASE_GRACE_MS;

/** The last ask of an instance that something came of. */
interface Answered {
  /** In which life of the store. */
  readonly log: string;
  readonly ask: number;
  readonly granted: Amounts;
  readonly refused: string | undefined;
  /** What it owed, and has said with this ask. */
  readonly debt: Amounts;
  /** An acquire's: when it asked. */
  readonly at?: number;
}

/** What a store keeps of a session. */
interface Kept {
  planName: string;
  isRevoked: boolean;
  /** Consumed through the API. */
  consumed: number;
  readonly answered: Map<string, Answered>;
  /** Of which it has a level. */
  readonly buckets: Set<string>;
}

export interface Decided {
  /** In which life. */
  readonly log: string;
  /** ms of that life's fleet clock. */
  readonly fleetMs: number;
  readonly beganMs: number;
  readonly plan: PlanOfPolicy;
}

export class FleetSession {
  kept: Kept;
  /** It was there when the present life began. */
  isOlder = false;
  /** Microtokens that were charged beyond what was reserved. */
  charged = 0;
  /** How many asks were granted something. */
  grants = 0;
  readonly bound = new FleetBound();
  readonly edges = new Map(EDGES.map((name) => [name as string, new ModelEdge(name)]));
  private saved: Kept | undefined;
  /** Since it was saved. */
  private debts: Amounts[] = [];
  private readonly settled = new Set<number>();

  constructor(
    readonly id: string,
    planName: string,
  ) {
    this.kept = { planName, isRevoked: false, consumed: 0, answered: new Map(), buckets: new Set() };
  }

  edge(name: string): ModelEdge {
    const edge = this.edges.get(name);
    if (edge === undefined) throw new Error(`there is no edge ${name}`);
    return edge;
  }

  save(): void {
    this.saved = structuredClone(this.kept);
    this.debts = [];
  }

  /**
   * Whether it is still there.
   * @param fleetMs when the next life began
   */
  failOver(plan: PlanOfPolicy | undefined, fleetMs: number): boolean {
    if (this.saved === undefined) return false;
    this.kept = structuredClone(this.saved);
    this.isOlder = true;
    this.bound.lose(this.kept.buckets, fleetMs + FROZEN_MS);
    // Debts of lost commits are lost with them.
    if (plan !== undefined) for (const debt of this.debts.splice(0)) this.bound.giveBack(debt, plan);
    return true;
  }

  /** Microtokens that edges have in a bucket and may spend at this very moment. */
  heldIn(bucket: string, nowMs: number): number {
    return [...this.edges.values()].reduce((sum, edge) => sum + Math.max(0, edge.left(nowMs, bucket)), 0);
  }

  /** That an answer is one that this ask may have; what it moved is noted, once. */
  expectAnswer(sent: SentAsk, answer: LeaseAnswer, at: Decided): void {
    const { ask } = sent;
    // Whatever is answered, the budget is of this life from now on.
    const { answered } = this.kept;
    for (const [instance, last] of answered) answered.set(instance, inLife(last, at.log));
    const known = answered.get(ask.instance + ask.edge);
    if (known !== undefined && ask.ask !== 0 && ask.ask < known.ask) {
      expect(answer, "a lower number is stale").toEqual({ ask: ask.ask, granted: {}, ttlMs: 0, is: known.ask });
      return;
    }
    expect(answer.is, "no higher number counts").toBeUndefined();
    const isAnsweredBefore = known !== undefined && answer.ask === known.ask;
    if (isAnsweredBefore) {
      if (ask.ask === 0) expect((ask.at ?? NaN) - (known.at ?? NaN), "of one miss").toBeLessThan(LEASE_REPEAT_MS);
      expect(answer.refused?.bucket, "the same answer").toBe(known.refused);
      expect(answer.granted, "the same answer").toEqual(answer.ttlMs > 0 ? known.granted : {});
      return;
    }
    if (ask.ask !== 0) expect(answer.ask, "the number of the ask").toBe(ask.ask);
    else if (known !== undefined) expect(answer.ask, "the next record's number").toBe(known.ask + OF_A_RECORD);
    this.note(sent, answer, known, at);
  }

  private note(sent: SentAsk, answer: LeaseAnswer, known: Answered | undefined, at: Decided): void {
    const { ask } = sent;
    const { plan } = at;
    if (!isNothing(answer.granted)) this.grants += 1;
    if (this.isOlder && at.fleetMs < at.beganMs + FROZEN_MS) {
      expect(isNothing(answer.granted), "nothing is granted at the beginning of a life").toBe(true);
    }
    this.bound.decide(plan);
    for (const name of bucketsOfPlan(plan).keys()) this.kept.buckets.add(name);
    // What the answer before took over was never taken off at the edge: the ask says it again.
    if (known !== undefined && ask.ask !== 0 && ask.applied < known.ask) this.bound.giveBack(known.debt, plan);
    const debt = Object.fromEntries(Object.entries(ask.left).map(([name, left]) => [name, Math.max(0, -left)]));
    if (!this.settled.has(sent.id)) this.bound.giveBack(ask.settled, plan);
    this.settled.add(sent.id);
    this.bound.take(debt);
    this.debts.push(debt);
    const { log } = at;
    const answered = { log, ask: answer.ask, granted: answer.granted, refused: answer.refused?.bucket, debt };
    const ofAcquire = ask.ask === 0 && ask.at !== undefined ? { at: ask.at } : {};
    this.kept.answered.set(ask.instance + ask.edge, { ...answered, ...ofAcquire });
  }
}

/** What is known of it from the life before: numbers go on far above all that are lost. */
const inLife = (last: Answered, log: string): Answered =>
  last.log === log
    ? last
    : { ...last, log, ask: last.ask + OF_LOST_COMMITS, granted: {}, refused: undefined, debt: {} };

export interface Call {
  readonly edge: string;
  readonly instance: string;
  readonly asks: readonly { readonly session: FleetSession; readonly sent: SentAsk }[];
}

export class FleetModel {
  readonly sessions: FleetSession[] = [];
  /** Sessions that a failover lost, or that were revoked before it: nothing is leased of them. */
  readonly gone = new Set<FleetSession>();
  /** The newest last. */
  readonly calls: Call[] = [];
  /** Answers that are under way. */
  readonly late: (() => void)[] = [];
  isSaved = false;

  constructor(public plans: readonly PlanOfPolicy[]) {}

  planOf(session: FleetSession): PlanOfPolicy | undefined {
    return this.plans.find(({ name }) => name === session.kept.planName);
  }

  /** The plan by which it is leased from; undefined: nothing is. */
  leasedBy(session: FleetSession): PlanOfPolicy | undefined {
    const plan = this.planOf(session);
    return plan?.scope !== "fleet" || session.kept.isRevoked || this.gone.has(session) ? undefined : plan;
  }

  session(nth: number): FleetSession {
    const session = this.sessions[nth % this.sessions.length];
    if (session === undefined) throw new Error("there is no session");
    return session;
  }
}
