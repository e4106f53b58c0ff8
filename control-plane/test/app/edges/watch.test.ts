// Watching the log: when a watch is answered, and with what. Every order is forced, none waited for.
import { describe, expect, it } from "vitest";

import { MAX_WATCH_ENTRIES, WATCH_HOLD_MS } from "../../../../assembly/contract.js";
import type { LogReading } from "../../../src/app/ports/log-ports.js";
import { MemoryLog } from "../../../src/store/memory/invalidation-log.js";
import { sessionAt } from "../../support/sessions.js";
import { temporaryStore } from "../../support/temporary-store.js";
import {
  answered,
  answerOf,
  heard,
  nobodyHangsUp,
  request,
  saying,
  settled,
  T0,
  watchesOver,
  watchingMemory,
} from "../../support/watching.js";

/** A log whose next reading happens when the test says so, after it looked. */
class SlowLog extends MemoryLog {
  private gate: Promise<void> | undefined;

  holdNextReading(): () => void {
    let open: () => void = () => undefined;
    this.gate = new Promise((resolve) => (open = resolve));
    return open;
  }

  override async read(since: number, limit: number): Promise<LogReading> {
    const reading = await super.read(since, limit);
    const gate = this.gate;
    this.gate = undefined;
    await gate;
    return reading;
  }
}

describe("a watch", () => {
  it("is answered at once when there is something past its place", async () => {
    const { log, watches, timers } = watchingMemory();
    log.append("revoked", "a", T0);
    log.append("refresh", "b", T0);
    expect(await watches.watch(request(), nobodyHangsUp())).toEqual(saying(2, ["a"], ["b"]));
    expect([watches.heldCount(), timers.pending]).toEqual([0, 0]);
  });

  it("is held while there is nothing, and answered by the next commit", async () => {
    const { log, watches, timers } = watchingMemory();
    const watched = watches.watch(request(), nobodyHangsUp());
    expect(await answerOf(watched)).toBeUndefined();
    log.append("revoked", "a", T0);
    expect(await answerOf(watched)).toEqual(saying(1, ["a"]));
    expect([watches.heldCount(), timers.pending]).toEqual([0, 0]);
  });

  it("is answered with its own place when the hold ends without news", async () => {
    const { log, watches, timers, outcomes } = watchingMemory();
    log.append("revoked", "a", T0);
    const watched = watches.watch(request({ since: 1 }), nobodyHangsUp());
    await answerOf(watched);
    timers.advance(WATCH_HOLD_MS - 1);
    expect(await answerOf(watched)).toBeUndefined();
    timers.advance(1);
    expect(await answerOf(watched)).toEqual(saying(1, []));
    expect(outcomes).toEqual(["idle"]);
  });

  it("misses no invalidation that is committed while it is being looked at", async () => {
    const { log, watches } = watchesOver(new SlowLog());
    const look = log.holdNextReading();
    const watched = watches.watch(request(), nobodyHangsUp());
    expect(await answerOf(watched)).toBeUndefined();
    log.append("revoked", "a", T0);
    expect(await answerOf(watched)).toEqual(saying(1, ["a"]));
    look();
    expect(await answerOf(watched)).toEqual(saying(1, ["a"]));
  });

  it("misses no invalidation that is committed while an earlier one is being told", async () => {
    const { log, watches } = watchesOver(new SlowLog());
    const first = watches.watch(request(), nobodyHangsUp());
    await answerOf(first);
    const look = log.holdNextReading();
    log.append("revoked", "a", T0);
    const second = watches.watch(request({ edge: "gw-2", since: 1 }), nobodyHangsUp());
    expect(await answerOf(second)).toBeUndefined();
    log.append("revoked", "b", T0);
    look();
    expect(await answerOf(second)).toEqual(saying(2, ["b"]));
    expect(await answerOf(first)).toEqual(saying(1, ["a"]));
  });

  it("misses no invalidation that is committed just when an earlier one has been told", async () => {
    for (let turns = 0; turns < 40; turns++) {
      const { log, watches } = watchingMemory();
      const early = watches.watch(request(), nobodyHangsUp());
      await settled();
      log.append("revoked", "a", T0);
      const late = watches.watch(request({ edge: "gw-2", since: 1 }), nobodyHangsUp());
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      log.append("revoked", "b", T0);
      expect(await answerOf(late), `${turns} turns later`).toEqual(saying(2, ["b"]));
      await early;
    }
  });

  it("of each of two edges hears of one commit", async () => {
    const { log, watches } = watchingMemory();
    const both = ["gw-1", "gw-2"].map((edge) => watches.watch(request({ edge }), nobodyHangsUp()));
    await Promise.all(both.map(answerOf));
    log.append("revoked", "a", T0);
    expect(await Promise.all(both)).toEqual([saying(1, ["a"]), saying(1, ["a"])]);
  });

  it("names so many sessions at most, and the next goes on from there", async () => {
    const { log, watches } = watchingMemory();
    for (let i = 0; i <= MAX_WATCH_ENTRIES; i++) log.append("revoked", `s${i}`, T0);
    const first = await watches.watch(request(), nobodyHangsUp());
    expect(first).toMatchObject({ answer: { cursor: MAX_WATCH_ENTRIES } });
    const second = await watches.watch(request({ since: MAX_WATCH_ENTRIES }), nobodyHangsUp());
    expect(second).toEqual(saying(MAX_WATCH_ENTRIES + 1, [`s${MAX_WATCH_ENTRIES}`]));
  });

  it("names a session once, however often it was refreshed", async () => {
    const { log, watches } = watchingMemory();
    for (let i = 0; i < 3; i++) log.append("refresh", "a", T0);
    expect(await watches.watch(request(), nobodyHangsUp())).toEqual(saying(3, [], ["a"]));
  });

  it("of an edge that follows no log is told the head at once, so that it misses nothing from there", async () => {
    const { log, watches } = watchingMemory();
    log.append("revoked", "a", T0);
    expect(await watches.watch(request({ log: undefined, since: 0 }), nobodyHangsUp())).toEqual(saying(1, []));
    expect(watches.heldCount()).toBe(0);
  });
});

describe("a watch over the store", () => {
  it("hears of a revocation as soon as it is durable, and not before", async () => {
    const store = await temporaryStore();
    const { watches } = watchesOver(store.invalidations);
    const session = sessionAt(T0);
    await store.create(session);
    const { log } = await store.position();
    const watched = watches.watch(request({ log, policy: heard(1, { log }) }), nobodyHangsUp());
    await settled();
    const revocation = store.revoke(session.id, T0 + 1);
    expect([watches.heldCount(), (await store.position()).cursor]).toEqual([1, 0]);
    await revocation;
    expect(await watched).toEqual({
      outcome: "answered",
      answer: { log, cursor: 1, revoked: [session.id], refresh: [] },
    });
  });
});

describe("a watch is told to begin anew", () => {
  const reset = (cursor: number) => answered({ reset: true, cursor });

  it("when its place is past the head", async () => {
    const { log, watches } = watchingMemory();
    log.append("revoked", "a", T0);
    expect(await watches.watch(request({ since: 2 }), nobodyHangsUp())).toEqual(reset(1));
  });

  it("when entries after its place have been dropped", async () => {
    const { log, watches } = watchingMemory();
    for (const id of ["a", "b"]) log.append("revoked", id, T0);
    await log.trim({ notBeforeMs: 0, entries: 1 }, 10);
    expect(await watches.watch(request({ since: 0 }), nobodyHangsUp())).toEqual(reset(2));
    expect(await watches.watch(request({ since: 1 }), nobodyHangsUp())).toEqual(saying(2, ["b"]));
  });

  it("when it follows another log, wherever it is in that", async () => {
    const { watches } = watchingMemory();
    for (const since of [0, 7]) {
      expect(await watches.watch(request({ log: "20000000000000bb", since }), nobodyHangsUp())).toEqual(reset(0));
    }
  });

  it("when what is dropped while it is held leaves a gap", async () => {
    const { log, watches } = watchesOver(new SlowLog());
    const watched = watches.watch(request(), nobodyHangsUp());
    await answerOf(watched);
    const look = log.holdNextReading();
    log.append("revoked", "a", T0);
    await log.trim({ notBeforeMs: T0 + 1, entries: 10 }, 10);
    look();
    expect(await answerOf(watched)).toEqual(saying(1, ["a"]));
    expect(await watches.watch(request({ since: 0 }), nobodyHangsUp())).toEqual(reset(1));
  });
});
