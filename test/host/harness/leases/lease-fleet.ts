// Several edges of two workers each, and the real decisions about their leases, in a time of their own: what is admitted of a
// load, and how many calls that takes. Answers need as long as they are told to; nothing fails.
import { TICK_MS } from "../../../../assembly/contract.js";
import { decideLease } from "../../../../control-plane/src/domain/leases/decide-lease.js";
import type { Amounts, FleetBudget } from "../../../../control-plane/src/domain/leases/fleet-budget.js";
import type { LeaseAnswer, LeaseAsk, LeaseOutcome } from "../../../../control-plane/src/domain/leases/lease-ask.js";
import { clockAt } from "../../../../control-plane/test/support/fleet-budgets.js";
import type { Callout } from "../host/callouts.js";
import type { Stream } from "../host/stream.js";
import { CURSOR, LIFETIME_MS, LOG, reportAnswer } from "../scenes/documents.js";
import { Edge, requestWith } from "../scenes/edge.js";
import { fleetPolicy } from "../scenes/leases.js";
import type { Session } from "../scenes/tokens.js";

const WORKERS = 2;
/** Time goes on by so much. */
export const STEP_MS = 2;

export interface FleetSetting {
  readonly edges: number;
  readonly sessions: number;
  readonly maxTokens: number;
  /** Tokens a second. */
  readonly rate: number;
  /** From a call until it is decided, and from there until its answer. */
  readonly wayMs: number;
}

export interface Sent {
  readonly session: number;
  readonly edge: number;
  readonly sentMs: number;
  answeredMs?: number;
  status?: number;
}

/** first: by an acquire. need: a request waits. ahead: before one has to. return: what nobody spends goes back. */
export type Why = "first" | "need" | "ahead" | "return";

export interface Asked {
  readonly atMs: number;
  readonly edge: number;
  readonly session: number;
  readonly why: Why;
  readonly ask: LeaseAsk;
  readonly answer: LeaseAnswer;
  readonly outcome: LeaseOutcome;
}

interface Said {
  readonly edge: string;
  readonly instance: string;
  readonly session?: string;
  readonly lease?: Pick<LeaseAsk, "cost" | "want">;
  readonly asks?: readonly (Partial<LeaseAsk> & { readonly session: string })[];
}

interface UnderWay {
  readonly call: Callout;
  readonly edge: number;
  readonly sentMs: number;
  decided: string | undefined;
}

const NO_AMOUNTS = { left: {}, back: {}, settled: {}, cost: {}, want: {} };

export class LeaseFleet {
  readonly asked: Asked[] = [];
  readonly sent: Sent[] = [];
  /** Lease calls that were made. */
  calls = 0;
  private readonly edges: Edge[];
  private readonly sessions: Session[];
  private readonly budgets = new Map<number, FleetBudget>();
  private readonly turns: number[];
  private readonly seen: number[];
  private waiting: { readonly stream: Stream; readonly entry: Sent }[] = [];
  private underWay: UnderWay[] = [];
  private nowMs = 0;

  constructor(private readonly setting: FleetSetting) {
    const { edges, sessions, maxTokens, rate } = setting;
    const policy = fleetPolicy({ maxTokens, tokenRefillRate: rate });
    this.edges = Array.from(
      { length: edges },
      (_, at) => new Edge({ workers: WORKERS, policy, seed: at + 1, nodeId: `edge-${at + 1}` }),
    );
    const [first] = this.edges;
    if (first === undefined) throw new RangeError("no edge");
    this.sessions = Array.from({ length: sessions }, () => first.newSession());
    this.turns = this.edges.map(() => 0);
    this.seen = this.edges.map(() => 0);
  }

  /** One step, with these requests at its end. */
  step(due: readonly { readonly session: number; readonly edge: number }[]): void {
    this.nowMs += STEP_MS;
    for (const [at, edge] of this.edges.entries()) {
      edge.clock.advanceMs(STEP_MS);
      for (const [nth, worker] of edge.workers.entries()) {
        // Each worker of each edge at another moment.
        const offsetMs = (at * 34 + nth * 50) % TICK_MS;
        if (this.nowMs % TICK_MS === offsetMs - (offsetMs % STEP_MS)) worker.tick();
      }
    }
    this.answerCalls();
    for (const one of due) this.send(one);
    this.takeCalls();
    this.look();
  }

  private send({ session, edge }: { readonly session: number; readonly edge: number }): void {
    const one = this.edges[edge];
    const token = this.sessions[session];
    if (one === undefined || token === undefined) return;
    const turn = (this.turns[edge] = ((this.turns[edge] ?? 0) + 1) % WORKERS);
    const entry: Sent = { session, edge, sentMs: this.nowMs };
    this.sent.push(entry);
    this.waiting.push({ stream: one.worker(turn).request(requestWith(token)), entry });
  }

  /** What has an answer by now. */
  private look(): void {
    this.waiting = this.waiting.filter(({ stream, entry }) => {
      if (stream.paused) return true;
      entry.answeredMs = this.nowMs;
      entry.status = stream.status ?? 0;
      return false;
    });
  }

  private takeCalls(): void {
    for (const [at, edge] of this.edges.entries()) {
      const { callouts } = edge.host;
      for (; (this.seen[at] ?? 0) < callouts.length; this.seen[at] = (this.seen[at] ?? 0) + 1) {
        const call = callouts[this.seen[at] ?? 0];
        if (call !== undefined) this.underWay.push({ call, edge: at, sentMs: this.nowMs, decided: undefined });
      }
    }
  }

  private answerCalls(): void {
    const { wayMs } = this.setting;
    const still: UnderWay[] = [];
    for (const one of this.underWay) {
      const path = one.call.headers.get(":path") ?? "";
      if (path.endsWith("/watch")) continue;
      if (one.decided === undefined && this.nowMs >= one.sentMs + wayMs) one.decided = this.decide(one, path);
      if (one.decided === undefined || this.nowMs < one.sentMs + 2 * wayMs) still.push(one);
      else if (one.call.state === "pending") one.call.answer(200, one.decided);
    }
    this.underWay = still;
  }

  private decide({ call, edge }: UnderWay, path: string): string {
    const said = call.json as Said;
    if (path.endsWith("/report")) return reportAnswer();
    if (path.endsWith("/lease")) {
      this.calls++;
      const leases = (said.asks ?? []).map((ask) => ({
        session: ask.session,
        ...this.lease(edge, ask.session, { ...NO_AMOUNTS, ask: 0, applied: 0, ...ask, ...said }),
      }));
      return JSON.stringify({ log: LOG, leases });
    }
    const id = said.session ?? "";
    const lease = said.lease && this.lease(edge, id, { ...NO_AMOUNTS, ...said.lease, ask: 0, applied: 0, ...said });
    const live = { state: "live", plan: 0, endsInMs: LIFETIME_MS, level: 0, consumed: 0, rev: 0, budgetSpent: false };
    return JSON.stringify({ ...live, log: LOG, cursor: CURSOR, lease });
  }

  private lease(edge: number, id: string, ask: LeaseAsk): object {
    const session = this.sessions.findIndex((one) => one.id === id);
    const { maxTokens, rate } = this.setting;
    const fleetMs = this.nowMs + 1000;
    const decision = decideLease(this.budgets.get(session), ask, {
      ...{ log: LOG, fleetMs, wallMs: fleetMs, by: clockAt(fleetMs, "one"), rows: [] },
      plan: { id: 0, maxTokens, tokenRefillRate: rate, refill: null, limits: [] },
    });
    this.budgets.set(session, decision.budget);
    const { answer, outcome } = decision;
    this.asked.push({ atMs: this.nowMs, edge, session, why: whyOf(ask), ask, answer, outcome });
    const { refused, granted, ttlMs, is } = answer;
    if (is !== undefined) return { ask: answer.ask, is };
    const lacks = refused && { limit: refused.bucket, retryAfter: refused.retryAfterMs };
    return { ask: answer.ask, granted, ttl: ttlMs, refused: lacks };
  }
}

const ofOwn = (amounts: Amounts): number => amounts[""] ?? 0;

function whyOf({ ask, left, cost, want }: LeaseAsk): Why {
  if (ask === 0) return "first";
  if (ofOwn(want) === 0) return "return";
  return ofOwn(left) < ofOwn(cost) ? "need" : "ahead";
}
