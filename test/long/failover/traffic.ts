// Clients of two control planes: login services that issue, revoke and consume, and repeat what was not answered.
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import type { Answered, Plane } from "../../../control-plane/test/support/planes-over-server.js";
import type { Recorder } from "./recorder.js";
import { RepeatedCalls, REST_MS } from "./repeated-calls.js";
import type { SimulatedEdge } from "./simulated-edge.js";

export interface TrafficParts {
  readonly planes: readonly Plane[];
  readonly edges: readonly SimulatedEdge[];
  readonly recorder: Recorder;
}

export const BUDGET = 1000;
/** One plan for edges, one that sessions change to, and one with a budget. */
export const POLICY = `version: 1
plans:
  - { id: 0, name: starter, maxTokens: 100, tokenRefillRate: 10 }
  - { id: 1, name: metered, maxTokens: 100, tokenRefillRate: 10, tokenBudget: ${BUDGET} }
  - { id: 2, name: changed, maxTokens: 100, tokenRefillRate: 10 }
`;
const CLIENTS = 4;
const OF_MANY = 5;
/** Longer than an edge takes for its next watch, and not so long that a fault holds up its client. */
const WAIT = "2s";

/** Who stops asks for nothing more; what has been asked for is repeated until it is answered. */
export class Traffic {
  private stopping = false;
  private readonly over = new AbortController();
  private readonly calls: RepeatedCalls;
  private readonly running: Promise<void>[];

  constructor(private readonly parts: TrafficParts) {
    this.calls = new RepeatedCalls(parts.planes, parts.recorder, this.over.signal);
    this.running = Array.from({ length: CLIENTS }, (_, client) => this.untilOver(client));
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.running);
  }

  /** Leaves everything as it is: the control planes go. */
  abandon(): void {
    this.over.abort();
  }

  private async untilOver(client: number): Promise<void> {
    try {
      await this.client(client);
    } catch (error) {
      if (!this.over.signal.aborted) throw error;
    }
  }

  private async client(client: number): Promise<void> {
    for (let round = client; !this.stopping; round++) {
      const { edges } = this.parts;
      const id = await this.issue(round, `user-${client}`);
      await Promise.all(edges.map((edge) => edge.acquire(id)));
      for (const edge of edges) await edge.spend(id);
      if (round % 3 === 1) await this.changePlan(round, id);
      // At each of the control planes in turn, though only in some rounds.
      if (round % 4 === 0) await this.revokeAndWait(round / 4, id);
      if (round % 4 === 2) await this.revoke((round - 2) / 4, id);
      if (round % 3 === 0) await this.consume(round);
      if (round % 8 === 0) await this.revokeMany(round / 8);
      await delay(REST_MS);
    }
  }

  private async issue(round: number, userId: string, plan = "starter"): Promise<string> {
    const { recorder } = this.parts;
    const key = { "idempotency-key": randomUUID() };
    const asked = { userId, orgId: "o1", plan };
    const issue = async (): Promise<string> => {
      const ask = (plane: Plane): Promise<Answered> => plane.operator("POST", "/v1/sessions", asked, key);
      return idIn(await this.calls.acknowledged(round, 201, ask));
    };
    const id = await issue();
    recorder.created.add(id);
    recorder.wrote("201");
    // The same request again, at the other one: the same session.
    if (round % 4 === 0 && (await issue()) !== id) recorder.wrong.push(`a repeated request issued another than ${id}`);
    return id;
  }

  private async changePlan(round: number, id: string): Promise<void> {
    const { recorder } = this.parts;
    const ask = (plane: Plane): Promise<Answered> => plane.operator("PATCH", `/v1/sessions/${id}`, { plan: "changed" });
    if ((await this.calls.acknowledged(round, 200, ask)) === undefined) return;
    recorder.plans.set(id, "changed");
    recorder.wrote("plan");
  }

  private async revoke(round: number, id: string): Promise<void> {
    const { recorder, edges } = this.parts;
    recorder.asked.add(id);
    const ask = (plane: Plane): Promise<Answered> => plane.operator("DELETE", `/v1/sessions/${id}`);
    if ((await this.calls.acknowledged(round, 204, ask)) === undefined) return;
    recorder.revoked.set(id, { id, atMs: performance.now() });
    recorder.wrote("204");
    await edges[0]?.probe(this.calls.at(round + 1), id);
  }

  /** Where nobody is pending, no edge serves it any more. */
  private async revokeAndWait(round: number, id: string): Promise<void> {
    const { recorder, edges } = this.parts;
    recorder.asked.add(id);
    const ask = (plane: Plane): Promise<Answered> => plane.operator("DELETE", `/v1/sessions/${id}?wait=${WAIT}`);
    const answer = await this.calls.acknowledged(round, 200, ask);
    if (answer === undefined) return;
    const { revocation } = answer.body as { revocation: { edges: number; pending: readonly string[] } };
    recorder.revoked.set(id, { id, atMs: performance.now() });
    recorder.wrote("200 to a wait");
    if (revocation.edges !== edges.length) recorder.wrong.push(`a wait was for ${revocation.edges} edges`);
    if (revocation.pending.length > 0) return;
    recorder.count("confirmed");
    for (const { name } of edges.filter((edge) => edge.serves(id)))
      recorder.wrong.push(`${name} serves ${id}, and was said to have heard of its revocation`);
  }

  private async revokeMany(round: number): Promise<void> {
    const { recorder, edges } = this.parts;
    const userId = `many-${randomUUID()}`;
    const sessions: string[] = [];
    for (let i = 0; i < OF_MANY; i++) sessions.push(await this.issue(round + i, userId));
    for (const id of sessions) {
      await Promise.all(edges.map((edge) => edge.acquire(id)));
      recorder.asked.add(id);
    }
    const path = `/v1/sessions?userId=${userId}`;
    const answer = await this.calls.acknowledged(round, 202, (plane) => plane.operator("DELETE", path));
    if (answer === undefined) return;
    const { id } = (answer.body as { revocation: { id: string } }).revocation;
    recorder.bulk.push({ id, sessions, atMs: performance.now() });
    recorder.wrote("202");
  }

  private async consume(round: number): Promise<void> {
    const { recorder } = this.parts;
    const id = await this.issue(round, "metered", "metered");
    const figures = { acknowledged: 0, asked: 0 };
    recorder.consumed.set(id, figures);
    for (let i = 0; i < 3; i++) {
      const key = { "idempotency-key": randomUUID() };
      figures.asked += 7;
      const path = `/v1/sessions/${id}/consume`;
      const ask = (plane: Plane): Promise<Answered> => plane.operator("POST", path, { count: 7 }, key);
      if ((await this.calls.acknowledged(round + i, 200, ask)) === undefined) return;
      figures.acknowledged += 7;
      recorder.wrote("consume");
    }
  }
}

const idIn = (answer: Answered | undefined): string => (answer?.body as { session: { id: string } }).session.id;
