// Policies that remove plans, the session header's name or the limit headers while requests wait for the control plane and
// responses are under way: no request fails that should pass, and nothing crashes.
import { createServer, type ServerResponse } from "node:http";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import type { HttpAnswer } from "../harness/http1.js";
import { useInstallation } from "../harness/installation.js";
import { type Plan, policyOf, type PolicyRest } from "../harness/policy.js";

const KEPT: Plan = { name: "kept", maxTokens: 1000, tokenRefillRate: 0 };
const GOING: Plan = { name: "going", maxTokens: 500, tokenRefillRate: 0 };
/** Responses that are slow outlive their sessions: else those of revoked ones end after a second. */
const BOTH_HEADERS: PolicyRest = { response: { headers: "both" }, sessions: { openStreams: "keep" } };
const full = policyOf([KEPT, GOING], BOTH_HEADERS);
const REQUESTS = 40;

/** Of requests to /slow: each is answered when the test says so. */
const held: ServerResponse[] = [];

async function slowUpstream(port: number): Promise<() => Promise<void>> {
  const server = createServer((request, response) => {
    if (request.url === "/slow") held.push(response);
    else response.end("at once\n");
  });
  server.keepAliveTimeout = 0;
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
}

let changes = 0;
const sluice = useInstallation({ policy: policyOf([KEPT]), upstream: slowUpstream });

beforeEach(async () => {
  await sluice().changePolicy(full);
});
afterEach(async () => {
  expect(sluice().envoy.running).toBe(true);
  expect(sluice().envoy.log).not.toMatch(/Function: proxy_on_\w+ failed|Plugin Failed/);
  // Another one than the next test begins with, whatever this one left.
  await sluice().changePolicy(policyOf([{ ...KEPT, maxTokens: KEPT.maxTokens + ++changes }]));
});

/** Resolves when the save since which `before` was published is in force at every worker. */
async function takenAfter(before: number): Promise<void> {
  await until(async () => {
    expect(await sluice().generation()).toBeGreaterThan(before);
  });
  await sluice().current();
}

/** Requests that have been admitted and whose responses are under way. */
async function underWay(tokens: readonly string[]): Promise<Promise<HttpAnswer>[]> {
  const before = held.length;
  const answers = tokens.map((token) => sluice().send({ token, path: "/slow" }));
  await until(() => {
    expect(held.length).toBe(before + tokens.length);
  });
  return answers;
}

function answerHeld(): void {
  for (const response of held.splice(0)) response.end("late\n");
}

async function tokens(plan: string, count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, async () => (await sluice().api.issue(plan)).token));
}

/** Once it holds no session, a plan may go. */
async function revokeAll(ids: readonly string[]): Promise<void> {
  for (const id of ids) await sluice().api.revoke(id);
}

it("responses of a removed plan are answered as they were admitted", async () => {
  const sessions = await Promise.all(Array.from({ length: REQUESTS }, () => sluice().api.issue("going")));
  const kept = await tokens("kept", REQUESTS);
  const answers = await underWay([...sessions.map(({ token }) => token), ...kept]);
  await revokeAll(sessions.map(({ id }) => id));
  await sluice().changePolicy(policyOf([KEPT], BOTH_HEADERS));
  answerHeld();
  for (const answer of answers) expect(await answer).toMatchObject({ status: 200, body: "late\n" });
});

it("the removal of limit headers fails no response that is under way", async () => {
  const answers = await underWay(await tokens("kept", REQUESTS));
  await sluice().changePolicy(policyOf([KEPT, GOING], { response: { headers: "none" } }));
  await sluice().changePolicy(policyOf([KEPT, GOING], { response: { headers: "x-ratelimit" } }));
  answerHeld();
  for (const answer of answers) expect((await answer).status).toBe(200);
});

it("waiting requests are decided under one policy each while the header changes", async () => {
  const waiting = await tokens("kept", REQUESTS);
  const renamed = policyOf([KEPT, GOING], { ...BOTH_HEADERS, header: "x-other" });
  const before = await sluice().generation();
  sluice().writePolicy(renamed);
  const answers = waiting.map((token) => sluice().send({ token, headers: { "x-other": token } }));
  for (const answer of answers) expect((await answer).status).toBe(200);
  await takenAfter(before);
});

it("waiting requests are served after plans are removed, if their own plan stays", async () => {
  const waiting = await tokens("kept", REQUESTS);
  const going = await Promise.all(Array.from({ length: 5 }, () => sluice().api.issue("going")));
  await revokeAll(going.map(({ id }) => id));
  const before = await sluice().generation();
  sluice().controlPlane.pause();
  const answers = waiting.map((token) => sluice().send({ token }));
  const revoked = going.map(({ token }) => sluice().send({ token }));
  sluice().writePolicy(policyOf([KEPT], { response: { headers: "none" } }));
  await delay(500);
  sluice().controlPlane.resume();
  for (const answer of answers) expect((await answer).status).toBe(200);
  for (const answer of revoked) expect((await answer).status).toBe(401);
  await takenAfter(before);
});

it("policy changes back and forth fail no request that should pass", async () => {
  const fast = await tokens("kept", REQUESTS);
  let over = false;
  const statuses = new Set<number>();
  const client = async (token: string): Promise<void> => {
    while (!over) {
      statuses.add((await sluice().send({ token })).status);
      await delay(5);
    }
  };
  const clients = fast.slice(0, 8).map(client);
  for (const policy of [policyOf([KEPT]), full, policyOf([KEPT], { response: { headers: "none" } }), full]) {
    const answers = await underWay(fast.slice(8, 16));
    await sluice().changePolicy(policy);
    answerHeld();
    for (const answer of answers) expect((await answer).status).toBe(200);
  }
  over = true;
  await Promise.all(clients);
  expect([...statuses]).toEqual([200]);
});
