// Clients of two control planes: login services that issue, revoke and consume, and repeat what was not answered.
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import type { Answered, Plane } from "../../../control-plane/test/support/planes-over-server.js";
import type { Recorder } from "./recorder.js";
import type { SimulatedEdge } from "./simulated-edge.js";

export interface TrafficParts {
  readonly planes: readonly Plane[];
  readonly edges: readonly SimulatedEdge[];
  readonly recorder: Recorder;
}

export const BUDGET = 1000;
/** One plan for edges, and one with a budget. */
export const POLICY = `version: 1
plans:
  - { id: 0, name: starter, maxTokens: 100, tokenRefillRate: 10 }
  - { id: 1, name: metered, maxTokens: 100, tokenRefillRate: 10, tokenBudget: ${BUDGET} }
`;
const CLIENTS = 4;
const REST_MS = 20;
const OF_MANY = 5;

/** Who stops asks for nothing more; what has been asked for is repeated until it is answered. */
export class Traffic {
  private stopping = false;
  private readonly running: Promise<void>[];

  constructor(private readonly parts: TrafficParts) {
    this.running = Array.from({ length: CLIENTS }, (_, client) => this.client(client));
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.running);
  }

  private async client(client: number): Promise<void> {
    for (let round = client; !this.stopping; round++) {
      const { edges } = this.parts;
      const id = await this.issue(round, `user-${client}`);
      await Promise.all(edges.map((edge) => edge.acquire(id)));
      for (const edge of edges) await edge.spend(id);
      if (round % 2 === 0) await this.revoke(round, id);
      if (round % 3 === 0) await this.consume(round);
      if (round % 8 === 0) await this.revokeMany(round);
      await delay(REST_MS);
    }
  }

  private async issue(round: number, userId: string, plan = "starter"): Promise<string> {
    const { recorder } = this.parts;
    const key = { "idempotency-key": randomUUID() };
    const asked = { userId, orgId: "o1", plan };
    const issue = (): Promise<Answered> =>
      this.acknowledged(round, [201], (plane) => plane.operator("POST", "/v1/sessions", asked, key));
    const id = idIn(await issue());
    recorder.created.add(id);
    recorder.wrote("201");
    // The same request again, at the other one: the same session.
    if (round % 4 === 0 && idIn(await issue()) !== id)
      recorder.wrong.push(`a repeated request issued another than ${id}`);
    return id;
  }

  private async revoke(round: number, id: string): Promise<void> {
    const { recorder, planes } = this.parts;
    recorder.asked.add(id);
    await this.acknowledged(round, [204], (plane) => plane.operator("DELETE", `/v1/sessions/${id}`));
    recorder.revoked.set(id, { id, atMs: performance.now() });
    recorder.wrote("204");
    const other = planes[(round + 1) % planes.length];
    const sentMs = performance.now();
    const asks = { edge: "probe", instance: "f".repeat(16), session: id };
    const answer = await other?.edge("acquire", asks).catch(() => undefined);
    const { state = "unavailable" } = (answer?.status === 200 ? answer.body : {}) as { state?: string };
    recorder.acquired("probe", id, state, sentMs);
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
    const { body } = await this.acknowledged(round, [202], (plane) => plane.operator("DELETE", path));
    const { id } = (body as { revocation: { id: string } }).revocation;
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
      await this.acknowledged(round + i, [200], (plane) => plane.operator("POST", path, { count: 7 }, key));
      figures.acknowledged += 7;
      recorder.wrote("consume");
    }
  }

  /** Repeats it, at one control plane and then the other, until it is answered so. Another answer than that and 5xx is wrong. */
  private async acknowledged(
    round: number,
    statuses: readonly number[],
    ask: (plane: Plane) => Promise<Answered>,
  ): Promise<Answered> {
    const { planes, recorder } = this.parts;
    for (let turn = round; ; turn++) {
      const plane = planes[turn % planes.length];
      if (plane === undefined) throw new Error("there is no control plane");
      const answer = await ask(plane).catch(() => undefined);
      if (answer !== undefined && statuses.includes(answer.status)) return answer;
      recorder.count(`call ${answer?.status ?? "without an answer"}`);
      if (answer !== undefined && answer.status < 500) {
        recorder.wrong.push(`${answer.status} ${JSON.stringify(answer.body)}`);
        if (answer.status === 404) return answer;
      }
      if (answer?.status === 503 && Number(answer.retryAfter) <= 0) recorder.wrong.push("503 without Retry-After");
      await delay(REST_MS);
    }
  }
}

const idIn = ({ body }: Answered): string => (body as { session: { id: string } }).session.id;
