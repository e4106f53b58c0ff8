// Levels of a plan's further limits: reported by name, kept by name, and given back by name.
import { describe, expect, it } from "vitest";

import { MAX_KEPT_LIMITS } from "../../../src/domain/limit-levels.js";
import { created, INSTANCE, startTestControlPlane } from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import { daily, LIMITED, search, STARTER } from "../../support/sessions.js";

const TOKEN = 1_000_000;
const NEXT_LIFE = { instance: "ffffffffffffffff" };
/** As an edge's rows have them: levels in the order of the names. */
const BOTH = { limits: { "0a1b2c3d": ["daily", "search"] } };
const levels = (...tokens: number[]) => ["0a1b2c3d", tokens.map((one) => one * TOKEN)];

async function started(): Promise<[TestControlPlane, string]> {
  const plane = await startTestControlPlane();
  plane.setPlans(LIMITED);
  const { session } = await created(plane);
  return [plane, session.id];
}

const levelsOf = async (plane: TestControlPlane, id: string, more: object = {}): Promise<unknown> =>
  ((await plane.acquire(id, more)).body as { levels?: unknown }).levels;

describe("an edge that acquires a session of a plan with limits", () => {
  it("a session that nobody spent from is answered without levels: all its limits are full", async () => {
    const [plane, id] = await started();
    expect((await plane.acquire(id)).body).not.toHaveProperty("levels");
  });

  it("an instance gets each limit's level back, refilled at the limit's own rate, rounded down", async () => {
    const [plane, id] = await started();
    await plane.report([[id, 1, 5, 95 * TOKEN, 0, ...levels(9000, 3)]], BOTH);
    plane.clock.advance(8641);
    // 10,000 a day are a token each 8.64 s; half a token a second is 4.32 in as long. The first millisecond is not credited.
    const answer = (await plane.acquire(id)).body;
    expect(answer).toMatchObject({ level: 100 * TOKEN, levels: { daily: 9001 * TOKEN, search: 7.32 * TOKEN } });
    plane.clock.advance(86_400_000 / 10_000 / 2);
    expect(await levelsOf(plane, id)).toMatchObject({ daily: 9001.5 * TOKEN });
  });

  it("a level is at most what the limit holds, and below 0 where it owes", async () => {
    const [plane, id] = await started();
    await plane.report([[id, 1, 5, 95 * TOKEN, 0, ...levels(20_000, -3)]], BOTH);
    expect(await levelsOf(plane, id)).toEqual({ daily: 10_000 * TOKEN, search: -3 * TOKEN });
    plane.setPlans({ ...LIMITED, limits: [{ ...daily, maxTokens: 50 }, search] });
    plane.clock.advance(7001);
    expect(await levelsOf(plane, id)).toEqual({ daily: 50 * TOKEN, search: 0.5 * TOKEN });
  });

  it("a next life of the edge gets the levels of the one that reported last", async () => {
    const [plane, id] = await started();
    await plane.report([[id, 1, 5, 95 * TOKEN, 0, ...levels(9000, 3)]], BOTH);
    expect(await levelsOf(plane, id, NEXT_LIFE)).toEqual({ daily: 9000 * TOKEN, search: 3 * TOKEN });
    expect(await levelsOf(plane, id, { edge: "gw-2" })).toBeUndefined();
  });

  it("a limit with the name of something that every object has is a limit like others", async () => {
    const [plane, id] = await started();
    const odd = { ...search, name: "constructor" };
    plane.setPlans({ ...LIMITED, limits: [odd, { ...search, name: "7" }] });
    expect(await levelsOf(plane, id)).toBeUndefined();
    const names = { limits: { "00000001": ["7", "constructor"] } };
    await plane.report([[id, 1, 5, TOKEN, 0, "00000001", [2 * TOKEN, 3 * TOKEN]]], names);
    expect(await levelsOf(plane, id, NEXT_LIFE)).toEqual({ "7": 2 * TOKEN, constructor: 3 * TOKEN });
  });
});

describe("a limit that is taken out of the policy and put back", () => {
  it("a limit that is away and back has the level that its rate allows, neither full nor empty", async () => {
    const [plane, id] = await started();
    await plane.report([[id, 1, 5, 95 * TOKEN, 0, ...levels(9000, 3)]], BOTH);
    plane.setPlans({ ...LIMITED, limits: [daily] });
    plane.clock.advance(2001);
    // Of an edge that still has the limit the level stays as it was.
    expect(await levelsOf(plane, id)).toMatchObject({ search: 3 * TOKEN });
    await plane.report([[id, 2, 6, 94 * TOKEN, 0, "ffffffff", [8999 * TOKEN]]], { limits: { ffffffff: ["daily"] } });
    plane.setPlans(LIMITED);
    expect(await levelsOf(plane, id)).toMatchObject({ daily: 8999 * TOKEN, search: 4 * TOKEN });
  });

  it("a limit's level is kept over reports without it, and over a restart of the edge", async () => {
    const [plane, id] = await started();
    await plane.report([[id, 1, 5, 95 * TOKEN, 0, ...levels(9000, 3)]], BOTH);
    plane.setPlans(STARTER);
    await plane.report([[id, 2, 6, 94 * TOKEN, 0]]);
    expect(await levelsOf(plane, id)).toEqual({ daily: 9000 * TOKEN, search: 3 * TOKEN });
    // The next life reports the session while its plan has no limits, and has rows of its own from then on.
    await plane.report([[id, 1, 1, 93 * TOKEN, 0]], NEXT_LIFE);
    plane.setPlans(LIMITED);
    expect(await levelsOf(plane, id, NEXT_LIFE)).toEqual({ daily: 9000 * TOKEN, search: 3 * TOKEN });
  });

  it("a session that comes to a plan with a limit of the same name keeps that limit's level", async () => {
    const [plane, id] = await started();
    const gold = { ...LIMITED, id: 3, name: "gold", limits: [{ ...daily, maxTokens: 20_000 }] };
    plane.setPlans(LIMITED, gold);
    await plane.report([[id, 1, 5, 95 * TOKEN, 0, ...levels(9000, 3)]], BOTH);
    expect((await plane.call("PATCH", `/v1/sessions/${id}`, { plan: "gold" })).status).toBe(200);
    expect((await plane.acquire(id)).body).toMatchObject({ plan: 3, levels: { daily: 9000 * TOKEN } });
  });

  it("a session whose plan the policy lost keeps its levels as they were", async () => {
    const [plane, id] = await started();
    await plane.report([[id, 1, 5, 95 * TOKEN, 0, ...levels(9000, 3)]], BOTH);
    plane.setPlans({ ...LIMITED, id: 9, name: "other" });
    plane.clock.advance(60_000);
    expect((await plane.acquire(id)).body).toMatchObject({ level: 95 * TOKEN, levels: { daily: 9000 * TOKEN } });
    const { body } = await plane.call("GET", `/v1/sessions/${id}/bucket`);
    expect(body).toMatchObject({ buckets: [{ name: LIMITED.name, tokens: 95, limits: [] }] });
  });

  it("levels of at most 16 limits of a session are kept at an instance, the oldest go first", async () => {
    const [plane, id] = await started();
    const tags = Array.from({ length: 4 }, (_, i) => `0000000${i}`);
    const names = tags.map((_, i) => Array.from({ length: 5 }, (_, j) => `limit-${i * 5 + j}`));
    const limits = Object.fromEntries(tags.map((tag, i) => [tag, names[i]]));
    for (const [i, tag] of tags.entries()) {
      plane.clock.advance(1000);
      await plane.report([[id, i + 1, 1, TOKEN, 0, tag, [1, 2, 3, 4, 5]]], { limits });
    }
    const kept = Object.keys((await levelsOf(plane, id)) as object);
    expect(kept).toHaveLength(MAX_KEPT_LIMITS);
    expect(kept.sort()).toEqual(
      names
        .flat()
        .filter((name) => !/^limit-[1234]$/.test(name))
        .sort(),
    );
  });
});

describe("what operators see of a session's limits", () => {
  it("a session's buckets show each limit's level and its time; one not reported is full", async () => {
    const [plane, id] = await started();
    await plane.report([[id, 1, 5, 90 * TOKEN, 0, "0a1b2c3d", [2 * TOKEN]]], { limits: { "0a1b2c3d": ["search"] } });
    const lastRefill = plane.clock.nowMs();
    plane.clock.advance(1001);
    const own = { edge: "gw-1", instance: INSTANCE, name: "limited", capacity: 100, tokens: 100, refillRate: 10 };
    const refillRate = 10_000 / 86_400;
    const limits = [
      { name: "daily", capacity: 10_000, tokens: 10_000, refillRate, lastRefill: null },
      { name: "search", capacity: 20, tokens: 2.5, refillRate: 0.5, lastRefill },
    ];
    const { body } = await plane.call("GET", `/v1/sessions/${id}/bucket`);
    expect(body).toEqual({ buckets: [{ ...own, lastRefill, limits }] });
  });

  it("a limit that owes is shown below 0", async () => {
    const [plane, id] = await started();
    await plane.report([[id, 1, 5, 90 * TOKEN, 0, ...levels(-20, 1)]], BOTH);
    const { body } = await plane.call("GET", `/v1/sessions/${id}/bucket`);
    expect(body).toMatchObject({ buckets: [{ limits: [{ name: "daily", tokens: -20 }, {}] }] });
  });
});
