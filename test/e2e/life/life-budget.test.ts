// Token budgets: what a session may spend in all, over every Envoy and the API.
import type { ClientHttp2Session } from "node:http2";
import { describe, expect, it, onTestFinished } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { SPENT } from "../harness/answers.js";
import type { Edge } from "../harness/edge.js";
import { drive } from "../harness/http2-load.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { followed, reported } from "../harness/settled.js";

const REPORT_INTERVAL_MS = 300;
const BUSY = { maxTokens: 30, tokenRefillRate: 40, tokenBudget: 150 };
/** From a report to the edges' denial; far above what it takes, far below what the load would spend without an end. */
const PROPAGATION_AT_MOST_S = 5;

const sluice = useInstallation({
  edges: ["gw-1", "gw-2"],
  policy: policyOf(
    [
      { name: "trial", maxTokens: 1000, tokenRefillRate: 0, tokenBudget: 30 },
      { name: "busy", ...BUSY },
      { name: "jobs", maxTokens: 1000, tokenRefillRate: 0, tokenBudget: 100 },
      { name: "paid", maxTokens: 1000, tokenRefillRate: 0, tokenBudget: 100_000 },
      { name: "free", maxTokens: 10, tokenRefillRate: 0 },
    ],
    { controlPlane: { reportInterval: REPORT_INTERVAL_MS } },
  ),
});

/** Resolves when the edge denies the session because its budget is spent; with how many it admitted meanwhile. */
async function deniedForBudget(edge: Edge, token: string): Promise<number> {
  let admitted = 0;
  await until(async () => {
    const answer = await edge.send({ token });
    if (answer.status === 200) admitted++;
    expect(answer).toMatchObject({ status: 429, body: SPENT });
    expect(answer.headers["retry-after"]).toBeUndefined();
  });
  return admitted;
}

const consume = (id: string, count: number, key?: string) =>
  sluice().api.call(
    "POST",
    `/v1/sessions/${id}/consume`,
    { count },
    key === undefined ? {} : { "idempotency-key": key },
  );

describe("a session that has spent its token budget", () => {
  it("a spent budget gets 429 without a retry time on both edges, also after restarts", async () => {
    const [one, two] = [sluice().edge(0), sluice().edge(1)];
    const { id, token } = await sluice().api.issue("trial");
    expect(new Set(await one.statuses(token, 18))).toEqual(new Set([200]));
    expect(new Set(await two.statuses(token, 12))).toEqual(new Set([200]));
    const over = (await deniedForBudget(one, token)) + (await deniedForBudget(two, token));
    await reported(sluice(), id, 30 + over);

    await two.restartHard();
    expect(await two.send({ token })).toMatchObject({ status: 429, body: SPENT });
    expect((await sluice().api.session(id)).state).toBe("live");
  });

  it("a session overspends by no more than the bucket and one report's time per edge", async () => {
    const { id, token } = await sluice().api.issue("busy");
    let over = false;
    onTestFinished(() => {
      over = true;
    });
    const load = async (edge: Edge): Promise<number> => {
      const connections: ClientHttp2Session[] = await edge.connect(2);
      const { statuses, failures } = await drive({
        connections,
        inFlight: 1,
        next: () => (over ? null : { "x-session-id": token }),
      });
      for (const session of connections) session.close();
      expect(failures).toEqual([]);
      return statuses[200] ?? 0;
    };
    const loads = Promise.all(sluice().edges.map(load));
    const probes = await Promise.all(sluice().edges.map((edge) => deniedForBudget(edge, token)));
    over = true;
    const admitted = [...(await loads), ...probes].reduce((sum, count) => sum + count);

    await reported(sluice(), id, admitted);
    const { maxTokens, tokenRefillRate, tokenBudget } = BUSY;
    const atEach = maxTokens + tokenRefillRate * (REPORT_INTERVAL_MS / 1000 + PROPAGATION_AT_MOST_S);
    expect(admitted).toBeGreaterThanOrEqual(tokenBudget);
    expect(admitted).toBeLessThanOrEqual(tokenBudget + sluice().edges.length * atEach);
  });

  it("a session on a plan with a larger budget is served at once and keeps its count", async () => {
    const { id, token } = await sluice().api.issue("trial");
    expect(new Set(await sluice().statuses(token, 30))).toEqual(new Set([200]));
    const over = await deniedForBudget(sluice().edge(0), token);
    expect((await sluice().api.call("PATCH", `/v1/sessions/${id}`, { plan: "paid" })).status).toBe(200);
    for (const edge of sluice().edges) {
      await until(async () => {
        expect((await edge.send({ token })).status).toBe(200);
      });
    }
    await reported(sluice(), id, 30 + over + sluice().edges.length);
  });
});

describe("consuming over the API", () => {
  it("consuming over the API spends the same budget, once for each key", async () => {
    const { id, token } = await sluice().api.issue("jobs");
    for (const edge of sluice().edges) expect(await edge.statuses(token, 5)).toEqual([200, 200, 200, 200, 200]);
    await reported(sluice(), id, 10);
    expect(await consume(id, 50, "a-job")).toMatchObject({
      status: 200,
      body: { budget: 100, consumed: 60, remaining: 40 },
    });
    expect(await consume(id, 50, "a-job")).toMatchObject({ status: 200, body: { consumed: 60, remaining: 40 } });
    expect(await consume(id, 41)).toMatchObject({ status: 409, body: { error: { code: "TOKEN_BUDGET_EXCEEDED" } } });
    for (const edge of sluice().edges) expect(await edge.statuses(token, 1)).toEqual([200]);
    await reported(sluice(), id, 62);

    expect(await consume(id, 38)).toMatchObject({ status: 200, body: { remaining: 0 } });
    let over = 0;
    for (const edge of sluice().edges) over += await deniedForBudget(edge, token);
    await followed(sluice());
    for (const edge of sluice().edges) expect(await edge.statuses(token, 3)).toEqual([429, 429, 429]);
    await reported(sluice(), id, 100 + over);
    expect(await sluice().api.usage(id)).toMatchObject({ consumed: 100 + over, direct: 88 });
  });

  it("consuming is denied for a plan without a budget and for an ended session", async () => {
    const free = await sluice().api.issue("free");
    expect(await consume(free.id, 1)).toMatchObject({ status: 409, body: { error: { code: "NO_TOKEN_BUDGET" } } });
    const ended = await sluice().api.issue("jobs");
    await sluice().api.revoke(ended.id);
    expect(await consume(ended.id, 1)).toMatchObject({ status: 409, body: { error: { code: "SESSION_ENDED" } } });
  });
});
