// Metrics: Prometheus reads from Envoy exactly the requests that clients have made.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ClientHttp2Session } from "node:http2";
import { until } from "../../../control-plane/test/support/until.js";
import { drive, times } from "../harness/http2-load.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";

/** All characters that a plan's name may have, and what might be taken for labels. */
const ODD_NAMES = ["abcdefghijklmnopqrstuvwxyz", "-0123456789-", "outcome-plan-call-total"];
const policyWith = (maxTokens: number) =>
  policyOf([
    { name: "default", maxTokens, tokenRefillRate: 0 },
    { name: "gold", maxTokens: 9_000_000, tokenRefillRate: 0 },
    ...ODD_NAMES.map((name) => ({ name, maxTokens: 10, tokenRefillRate: 0 })),
  ]);

const sluice = useInstallation({ policy: policyWith(100) });

let connections: ClientHttp2Session[] = [];
beforeAll(async () => {
  connections = await sluice().connect(4);
});
afterAll(() => {
  for (const session of connections) session.close();
});

/** The filter's samples as Prometheus has them: name and labels to value. */
const samples = async (): Promise<Record<string, number>> => Object.fromEntries(await sluice().envoyAdmin.samples());

const become = (expected: Record<string, number>) =>
  until(async () => {
    expect(await samples()).toMatchObject(expected);
  });

const miss = (outcome: string): string => `sluice_misses_total{outcome="${outcome}"}`;

/** Samples in which every answer of the control plane stands: each worker brings its own in its time. */
const withAllAnswers = (): Promise<Record<string, number>> =>
  until(async () => {
    const all = await samples();
    const answers = ["live", "revoked", "expired", "unknown"].map((outcome) => all[miss(outcome)] ?? 0);
    expect(answers.reduce((sum, count) => sum + count)).toBe(await sluice().api.acquires());
    return all;
  });

describe("the filter's metrics", () => {
  it("each request is counted once by outcome and plan, also over policy changes", async () => {
    // Requests that showed that Envoy was ready had no token.
    const probes = await sluice().envoyAdmin.stat("http.proxy.downstream_rq_4xx");
    await become({ 'sluice_requests_total{outcome="missing"}': probes });
    const session = await sluice().api.issue();
    const gold = await sluice().api.issue("gold");

    let over = false;
    const spending = drive({
      connections,
      inFlight: 4,
      next: () => (over ? null : { "x-session-id": gold.token }),
    });
    const invalid = await drive({ connections, inFlight: 4, next: times(700, { "x-session-id": "no token" }) });
    await sluice().changePolicy(policyWith(200));
    const limited = await drive({ connections, inFlight: 4, next: times(300, { "x-session-id": session.token }) });
    const missing = await drive({ connections, inFlight: 4, next: times(400, {}) });
    await sluice().changePolicy(policyWith(50));
    over = true;
    const spent = await spending;

    for (const { failures } of [invalid, limited, missing, spent]) expect(failures).toEqual([]);
    expect(invalid.statuses).toEqual({ 401: 700 });
    expect(missing.statuses).toEqual({ 401: 400 });
    expect(limited.statuses).toEqual({ 200: 200, 429: 100 });
    const expected = {
      'sluice_requests_total{outcome="invalid"}': 700,
      'sluice_requests_total{outcome="missing"}': probes + 400,
      'sluice_requests_total{outcome="allowed",plan="default"}': 200,
      'sluice_requests_total{outcome="limited",plan="default",limit="default"}': 100,
      'sluice_requests_total{outcome="allowed",plan="gold"}': spent.statuses[200] ?? 0,
      'sluice_tokens_spent_total{plan="default"}': 200,
      'sluice_tokens_spent_total{plan="gold"}': spent.statuses[200] ?? 0,
      'sluice_requests_total{outcome="unavailable"}': 0,
      sluice_cas_exhausted_total: 0,
    };
    await become(expected);
    // A count that had been added twice would show with the next flush.
    expect((await sluice().send({ token: session.token })).status).toBe(429);
    await become({ ...expected, 'sluice_requests_total{outcome="limited",plan="default",limit="default"}': 101 });
  });

  it("a plan's name is whole in the labels, whatever characters it has", async () => {
    for (const plan of ODD_NAMES) await sluice().send({ token: (await sluice().api.issue(plan)).token });
    const spent = ODD_NAMES.map((plan) => [`sluice_tokens_spent_total{plan="${plan}"}`, 1]);
    await become(Object.fromEntries(spent) as Record<string, number>);
    const metrics = Object.keys(await samples()).map((sample) => sample.replace(/\{.*/, ""));
    expect(metrics.filter((name) => !/^sluice(_[a-z]+)+$/.test(name))).toEqual([]);
  });

  it("gauges show the sessions in the table, its size and the policy in force", async () => {
    const before = (await samples()).sluice_table_records ?? 0;
    const sessions = await Promise.all(Array.from({ length: 20 }, () => sluice().api.issue()));
    for (const { token } of sessions) await sluice().send({ token });
    const generation = (await samples()).sluice_policy_generation ?? 0;
    await become({ sluice_table_records: before + 20, sluice_table_capacity: 65_536 });
    await sluice().changePolicy(policyWith(60));
    await become({ sluice_policy_generation: generation + 1, sluice_table_records: before + 20 });
  });

  it("counters show how misses ended", async () => {
    const before = await withAllAnswers();
    const revoked = await sluice().api.issue();
    await sluice().api.call("DELETE", `/v1/sessions/${revoked.id}`);
    const unknown = sluice().mint.mint(Date.now());
    const tooOld = sluice().mint.mint(1000);
    const live = await sluice().api.issue();
    for (const { token } of [revoked, unknown, tooOld]) expect(await sluice().statuses(token, 1)).toEqual([401]);
    expect(await sluice().statuses(live.token, 1)).toEqual([200]);
    // How old a token may be the control plane decides, which knows nothing of that one.
    const grown = Object.entries({ revoked: 1, unknown: 2, too_old: 0, live: 1 });
    await become(Object.fromEntries(grown.map(([one, more]) => [miss(one), (before[miss(one)] ?? 0) + more])));
  });
});

describe("the control plane's metrics", () => {
  it("the control plane counts sessions and the calls of edges", async () => {
    const before = await sluice().api.metrics();
    const value = (name: string): number => before.get(name) ?? 0;
    const { id, token } = await sluice().api.issue("gold");
    await sluice().send({ token });
    await sluice().api.call("DELETE", `/v1/sessions/${id}`);
    const after = await sluice().api.metrics();
    for (const name of [
      "sluice_control_sessions_created_total",
      'sluice_control_acquires_total{outcome="live"}',
      'sluice_control_sessions_removed_total{reason="revoked"}',
    ]) {
      expect({ name, value: after.get(name) }).toEqual({ name, value: value(name) + 1 });
    }
  });
});
