// What an operator does to sessions that are in use at two Envoys: change their plan, re-issue tokens, limit them by user.
import { describe, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { INVALID } from "../harness/answers.js";
import type { IssuedSession, Owner } from "../harness/control-plane-client.js";
import type { Edge } from "../harness/edge.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { reported } from "../harness/settled.js";

const sluice = useInstallation({
  edges: ["gw-1", "gw-2"],
  policy: policyOf(
    [
      { name: "small", maxTokens: 50, tokenRefillRate: 0 },
      { name: "large", maxTokens: 1000, tokenRefillRate: 0 },
      { name: "tiny", maxTokens: 10, tokenRefillRate: 0 },
      { name: "two-each", maxTokens: 50, tokenRefillRate: 0, maxSessionsPerUser: 2, onMaxSessions: "refuse" },
      { name: "newest-two", maxTokens: 50, tokenRefillRate: 0, maxSessionsPerUser: 2, onMaxSessions: "removeOldest" },
    ],
    { controlPlane: { reportInterval: 300 } },
  ),
});

const ofTimes = (count: number, status: number): number[] => Array<number>(count).fill(status);
const move = (id: string, plan: string) => sluice().api.call("PATCH", `/v1/sessions/${id}`, { plan });

/** Resolves with what is left of the plan's bucket and how many requests it took, once the edge serves it under that plan. */
async function servedUnder(plan: string, edge: Edge, token: string): Promise<{ left: number; spent: number }> {
  let spent = 0;
  return until(async () => {
    const { headers, status } = await edge.send({ token });
    if (status === 200) spent++;
    const [, name, left] = /^"(.+)";r=(\d+)/.exec(String(headers.ratelimit)) ?? [];
    expect(name).toBe(plan);
    return { left: Number(left), spent };
  });
}

describe("changing the plan of a session", () => {
  it("a session on a new plan gets its limits at both edges and keeps its level", async () => {
    const { id, token } = await sluice().api.issue("small");
    expect(await sluice().edge(0).statuses(token, 20)).toEqual(ofTimes(20, 200));
    expect(await sluice().edge(1).statuses(token, 5)).toEqual(ofTimes(5, 200));
    expect(await move(id, "large")).toMatchObject({ status: 200, body: { session: { plan: "large" } } });
    const one = await servedUnder("large", sluice().edge(0), token);
    const two = await servedUnder("large", sluice().edge(1), token);
    expect(one.left).toBe(30 - one.spent);
    expect(two.left).toBe(45 - two.spent);
    await reported(sluice(), id, 25 + one.spent + two.spent);

    expect((await move(id, "tiny")).status).toBe(200);
    const cut = await servedUnder("tiny", sluice().edge(0), token);
    expect(cut.left).toBe(9);
    expect(await sluice().edge(0).statuses(token, 10)).toEqual([...ofTimes(9, 200), 429]);
  });
});

describe("a token that is issued again", () => {
  it("a re-issued token has the session's present plan and the same bucket", async () => {
    const { id, token } = await sluice().api.issue("small");
    for (const edge of sluice().edges) expect(await edge.statuses(token, 10)).toEqual(ofTimes(10, 200));
    await move(id, "large");
    const { status, body } = await sluice().api.call("POST", `/v1/sessions/${id}/token`);
    expect(status).toBe(200);
    const { token: again } = body as { token: string };
    expect(again).not.toBe(token);
    for (const edge of sluice().edges) {
      const { left, spent } = await servedUnder("large", edge, again);
      expect(left).toBe(40 - spent);
      expect((await edge.send({ token })).headers.ratelimit).toBe(`"large";r=${left - 1}`);
      expect((await edge.send({ token: again })).headers.ratelimit).toBe(`"large";r=${left - 2}`);
    }

    await sluice().api.revoke(id);
    for (const edge of sluice().edges) {
      for (const either of [token, again]) {
        await until(async () => {
          expect(await edge.send({ token: either })).toMatchObject({ status: 401, body: INVALID });
        });
      }
    }
  });
});

describe("a user with as many sessions as the plan allows", () => {
  it("a user at the session limit gets no further one until one of them is gone", async () => {
    const owner: Owner = { userId: "rejected", orgId: "o1" };
    const first = await sluice().api.issue("two-each", owner);
    const second = await sluice().api.issue("two-each", owner);
    const third = await sluice().api.call("POST", "/v1/sessions", { ...owner, plan: "two-each" });
    expect(third).toMatchObject({ status: 409, body: { error: { code: "TOO_MANY_SESSIONS" } } });
    await sluice().api.revoke(first.id);
    const { token } = await sluice().api.issue("two-each", owner);
    for (const edge of sluice().edges) {
      expect(await edge.statuses(token, 1)).toEqual([200]);
      expect(await edge.statuses(second.token, 1)).toEqual([200]);
    }
  });

  it("a user's oldest session ends at every edge where the plan says so", async () => {
    const owner: Owner = { userId: "replaced", orgId: "o1" };
    const issued: IssuedSession[] = [];
    while (issued.length < 3) {
      const session = await sluice().api.issue("newest-two", owner);
      issued.push(session);
      for (const edge of sluice().edges) expect(await edge.statuses(session.token, 1)).toEqual([200]);
    }
    const [oldest, ...others] = issued;
    for (const edge of sluice().edges) {
      await until(async () => {
        expect(await edge.send({ token: oldest?.token ?? "" })).toMatchObject({ status: 401, body: INVALID });
      });
      for (const { token } of others) expect(await edge.statuses(token, 2)).toEqual([200, 200]);
    }
  });
});
