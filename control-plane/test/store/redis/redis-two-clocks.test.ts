// Control planes over a real Redis, on machines whose clocks are apart: what is reported at one is right at the other.
import { performance } from "node:perf_hooks";
import { setTimeout as passed } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";

import type { LiveAnswer } from "../../../src/app/edges/acquired.js";
import type { Clock } from "../../../src/app/ports/ports.js";
import { nodeTimers } from "../../../src/files/node-timers.js";
import { planeOn } from "../../support/planes-of-one-store.js";
import { newRedisStore, redisStoreAt, serverAt } from "../../support/redis-store.js";
import type { RedisStoreOfTests } from "../../support/redis-store.js";
import { useServer } from "../../support/servers/use-server.js";
import { STARTER } from "../../support/sessions.js";

const MICRO = 1_000_000;
/** A token a second: what the clocks are apart would be five tokens. */
const PLAN = { ...STARTER, tokenRefillRate: 1 };
/** By as much two control planes that ask one store for its time may differ. */
const VAGUE_MICRO = 0.2 * MICRO;

const machineAhead = (ms: number): Clock => ({
  nowMs: () => Math.floor(Date.now() + ms),
  monotonicMs: () => performance.now(),
});

async function planeOver(store: RedisStoreOfTests, aheadMs: number) {
  const { storeTime } = store;
  const plane = await planeOn({ store, storeTime, machine: machineAhead(aheadMs), timers: nodeTimers, plan: PLAN });
  onTestFinished(plane.end);
  return plane.calls;
}

describe("two control planes over a real Redis, whose machines' clocks are 5 s apart", () => {
  const server = useServer("Redis 7");

  it.each([
    ["behind", 0, 5000],
    ["ahead", 5000, 0],
  ])("a level that was reported where the clock is %s is refilled for the time that passed", async (_, there, here) => {
    const reporting = await planeOver(await newRedisStore(serverAt(server().port)), there);
    const asking = await planeOver(await redisStoreAt(serverAt(server().port)), here);
    const id = await reporting.issue("u1");
    await reporting.acquire(id);
    const beginMs = performance.now();
    await reporting.report(id, 0, 1);
    const reportedMs = performance.now();
    await passed(500);
    const askedMs = performance.now();
    const { level } = (await asking.acquire(id)) as LiveAnswer;
    const endMs = performance.now();
    expect(level).toBeGreaterThanOrEqual((askedMs - reportedMs) * 1000 - VAGUE_MICRO);
    expect(level).toBeLessThanOrEqual((endMs - beginMs) * 1000 + VAGUE_MICRO);
  });
});
