// The invalidation log is kept within its bounds by itself.
import { describe, expect, it, vi } from "vitest";

import { startLogKeeping } from "../../../src/app/upkeep/log-retention.js";
import { claimedWork } from "../../support/claimed.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { ManualTimers } from "../../support/manual-timers.js";
import { MemoryLog } from "../../../src/store/memory/invalidation-log.js";
import { temporaryStore } from "../../support/temporary-store.js";
import { settled } from "../../support/watching.js";

const MINUTE_MS = 60_000;
const KEPT_MS = 60 * MINUTE_MS;
const KEPT_ENTRIES = 3000;

/** A log that is kept, once the first look at it is over. */
async function kept(log = new MemoryLog()) {
  const clock = new FixedClock();
  const timers = new ManualTimers(clock);
  const logged: object[] = [];
  const note = (fields: object): void => void logged.push(fields);
  const logger = { debug: note, info: note, warn: note, error: note };
  const { revocations } = await temporaryStore();
  const kept = { maxEntries: KEPT_ENTRIES, maxAgeMs: KEPT_MS };
  const stop = startLogKeeping({ log, revocations, kept, claimed: claimedWork(), clock, timers, logger });
  await untilAtRest(timers);
  return { log, clock, timers, logged, stop };
}

const oldest = async (log: MemoryLog): Promise<number> => {
  const { cursor } = await log.position();
  for (let since = 0; since < cursor; since++) {
    if ((await log.read({ log: log.id, cursor: since }, 1)).kind === "entries") return since + 1;
  }
  return cursor + 1;
};

/** The next look is due in a minute. */
async function untilAtRest(timers: ManualTimers): Promise<void> {
  while (timers.pending === 0) await settled();
}

/** A minute passes, and what it brings about is done. */
async function aMinutePasses(timers: ManualTimers): Promise<void> {
  timers.advance(MINUTE_MS);
  await untilAtRest(timers);
}

describe("the invalidation log", () => {
  it("no invalidation goes while the clock is not settled", async () => {
    const { log, clock, timers, stop } = await kept();
    log.append("revoked", "old", clock.nowMs() - KEPT_MS);
    clock.settled = false;
    await aMinutePasses(timers);
    expect(await oldest(log)).toBe(1);
    clock.settled = true;
    await aMinutePasses(timers);
    expect(await oldest(log)).toBe(2);
    await stop();
  });

  it("the invalidation log loses what is older than its retention, however much that is", async () => {
    const { log, clock, timers, stop } = await kept();
    for (let i = 0; i < 2000; i++) log.append("revoked", `s${i}`, clock.nowMs() - KEPT_MS);
    log.append("refresh", "young", clock.nowMs() + MINUTE_MS);
    await aMinutePasses(timers);
    expect(await oldest(log)).toBe(2001);
    await stop();
  });

  it("the invalidation log loses its oldest entries above the bound, already at the start", async () => {
    const log = new MemoryLog();
    for (let i = 0; i < KEPT_ENTRIES + 7; i++) log.append("revoked", `s${i}`, new FixedClock().nowMs());
    const { stop } = await kept(log);
    expect(await oldest(log)).toBe(8);
    await stop();
  });

  it("the invalidation log keeps everything younger, and is looked at each minute", async () => {
    const { log, clock, timers, stop } = await kept();
    log.append("revoked", "a", clock.nowMs());
    await aMinutePasses(timers);
    expect(await oldest(log)).toBe(1);
    clock.advance(KEPT_MS);
    await aMinutePasses(timers);
    expect(await oldest(log)).toBe(2);
    await stop();
    expect(timers.pending).toBe(0);
  });

  it("the invalidation log is looked at again after the store failed", async () => {
    const { log, clock, timers, logged, stop } = await kept();
    log.append("revoked", "a", clock.nowMs() - 2 * KEPT_MS);
    const broken = vi.spyOn(log, "trim").mockRejectedValue(new Error("disk"));
    await aMinutePasses(timers);
    expect(logged).toMatchObject([{ event: "log-trim-failed" }]);
    broken.mockRestore();
    await aMinutePasses(timers);
    expect(await oldest(log)).toBe(2);
    await stop();
  });
});
