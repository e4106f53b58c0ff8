// Two control planes over one store, whose machines' clocks are 5 s and more apart: they decide by the store's.
import { describe, expect, it } from "vitest";

import type { Acquired, LiveAnswer } from "../../../src/app/edges/acquired.js";
import { idTimeMs } from "../../../src/domain/session-id.js";
import { planesOfOneStore } from "../../support/planes-of-one-store.js";
import { HOUR_MS, STARTER } from "../../support/sessions.js";

const MINUTE_MS = 60_000;
const APART: [number, number] = [-5000, 5000];

/** At 1 token a second a millisecond is 1,000 microtokens; the two clocks agree to one, and are read to one. */
function expectLevel(answer: Acquired | undefined, levelMicro: number): void {
  expect(answer).toMatchObject({ state: "live" });
  expect(Math.abs((answer as LiveAnswer).level - levelMicro)).toBeLessThanOrEqual(2000);
}

describe("two control planes whose machines are 10 s apart", () => {
  it("two control planes go by the store's time right after their start", async () => {
    const { planes, storeClock } = await planesOfOneStore(STARTER, ...APART);
    expect(planes.map(({ machine }) => machine.nowMs() - storeClock.nowMs())).toEqual(APART);
    for (const { time } of planes) expect(Math.abs(time.nowMs() - storeClock.nowMs())).toBeLessThanOrEqual(1);
    expect(planes.map(({ time }) => [time.waitingJumpMs(), time.jumps.forward + time.jumps.backward])).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it("a bucket is refilled for the time that passed, at whichever it is asked for", async () => {
    const { planes, pass } = await planesOfOneStore({ ...STARTER, tokenRefillRate: 1 }, ...APART);
    const [slow, fast] = planes;
    const id = await slow.issue("u1");
    await slow.acquire(id);
    await slow.report(id, 0, 1);
    expectLevel(await fast.acquire(id), 0);
    await pass(3000);
    expectLevel(await fast.acquire(id), 3_000_000);
    await fast.report(id, 0, 2);
    expectLevel(await slow.acquire(id), 0);
    await pass(2000);
    expectLevel(await slow.acquire(id), 2_000_000);
  });

  it("a session of either ends at one moment at both", async () => {
    const { planes, pass } = await planesOfOneStore({ ...STARTER, lifetime: MINUTE_MS }, ...APART);
    const ids = await Promise.all(planes.map((plane, at) => plane.issue(`u${at}`)));
    await pass(MINUTE_MS - 1000);
    const remaining = await Promise.all(planes.flatMap((plane) => ids.map((id) => plane.acquire(id))));
    for (const answer of remaining) {
      expect(answer).toMatchObject({ state: "live" });
      expect(Math.abs((answer as LiveAnswer).endsInMs - 1000)).toBeLessThanOrEqual(1);
    }
    await pass(1001);
    const after = await Promise.all(planes.flatMap((plane) => ids.map((id) => plane.acquire(id))));
    expect(after.map((answer) => answer?.state)).toEqual(["expired", "expired", "expired", "expired"]);
  });

  it("a session used at one is not idle at the other a moment before its time", async () => {
    const { planes, pass, store } = await planesOfOneStore(
      { ...STARTER, maxAge: MINUTE_MS, lifetime: HOUR_MS },
      ...APART,
    );
    const [slow, fast] = planes;
    await pass(10 * MINUTE_MS);
    const id = await slow.issue("u1");
    const graceMs = 20_000;
    await pass(MINUTE_MS + graceMs - 1000);
    await fast.sweep();
    expect((await store.find(id))?.idleEndedAt).toBeUndefined();
    await pass(1002);
    await fast.sweep();
    expect((await store.find(id))?.idleEndedAt).toBeDefined();
  });

  it("the ids of their sessions are in the order in which they were issued", async () => {
    const { planes, pass, storeClock } = await planesOfOneStore(STARTER, ...APART);
    const ids: string[] = [];
    for (let at = 0; at < 6; at++) {
      ids.push((await planes[at % 2]?.issue(`u${at}`)) ?? "");
      await pass(10);
    }
    expect([...ids].sort()).toEqual(ids);
    expect(Math.abs(idTimeMs(ids[5] ?? "") - (storeClock.nowMs() - 10))).toBeLessThanOrEqual(1);
  });
});

describe("a machine whose clock is set while its control plane runs", () => {
  it("a machine's clock that is set changes nothing: time goes on by the store's", async () => {
    const { planes, pass, storeClock } = await planesOfOneStore(STARTER, 0, 0);
    await pass(30_000);
    planes[0].machine.step(HOUR_MS);
    await pass(2000);
    for (const { time } of planes) {
      expect(Math.abs(time.nowMs() - storeClock.nowMs())).toBeLessThanOrEqual(1);
      expect([time.isSettled(), time.jumps.forward]).toEqual([true, 0]);
    }
  });

  it("the store's clock set by more than 2 s waits for the grace at both", async () => {
    const { planes, pass, storeClock } = await planesOfOneStore(STARTER, ...APART);
    await pass(30_000);
    storeClock.step(HOUR_MS);
    await pass(19_000);
    const behind = planes.map(({ time }) => Math.round((storeClock.nowMs() - time.nowMs()) / 1000));
    expect([behind, planes.map(({ time }) => time.isSettled())]).toEqual([
      [3600, 3600],
      [false, false],
    ]);
    await pass(3000);
    for (const { time } of planes) expect(Math.abs(time.nowMs() - storeClock.nowMs())).toBeLessThanOrEqual(1);
  });
});
