// Watching the log: when a watch is answered, and with what. Every order is forced, none waited for.
import { describe, expect, it } from "vitest";

import { MAX_WATCH_ENTRIES, WATCH_HOLD_MS } from "../../../../assembly/contract.js";
import type { LogReading } from "../../../src/app/ports/log-ports.js";
import type { LogPosition } from "../../../src/domain/stored.js";
import { MemoryLog } from "../../../src/store/memory/invalidation-log.js";
import { sessionAt } from "../../support/sessions.js";
import { temporaryStore } from "../../support/temporary-store.js";
import {
  answered,
  answerOf,
  received,
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

  override async read(since: LogPosition, limit: number): Promise<LogReading> {
    const reading = await super.read(since, limit);
    const gate = this.gate;
    this.gate = undefined;
    await gate;
    return reading;
  }
}

describe("a watch", () => {
  it("a watch is answered at once when there is an entry past its cursor", async () => {
    const { log, watches, timers } = watchingMemory();
    log.append("revoked", "a", T0);
    log.append("refresh", "b", T0);
    expect(await watches.watch(request(), nobodyHangsUp())).toEqual(saying(2, ["a"], ["b"]));
    expect([watches.heldCount(), timers.pending]).toEqual([0, 0]);
  });

  it("a watch is held while there is nothing, and answered by the next commit", async () => {
    const { log, watches, timers } = watchingMemory();
    const watched = watches.watch(request(), nobodyHangsUp());
    expect(await answerOf(watched)).toBeUndefined();
    log.append("revoked", "a", T0);
    expect(await answerOf(watched)).toEqual(saying(1, ["a"]));
    expect([watches.heldCount(), timers.pending]).toEqual([0, 0]);
  });

  it("a watch is answered with its own cursor when the hold ends without news", async () => {
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

  it("a watch misses no invalidation that is committed while it looks at the log", async () => {
    const { log, watches } = watchesOver(new SlowLog());
    const look = log.holdNextReading();
    const watched = watches.watch(request(), nobodyHangsUp());
    expect(await answerOf(watched)).toBeUndefined();
    log.append("revoked", "a", T0);
    expect(await answerOf(watched)).toEqual(saying(1, ["a"]));
    look();
    expect(await answerOf(watched)).toEqual(saying(1, ["a"]));
  });

  it("a watch misses no invalidation that is committed while an earlier one is answered", async () => {
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

  it("a watch misses no invalidation that is committed just after an earlier one is answered", async () => {
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

  it("one commit answers the watches of two edges", async () => {
    const { log, watches } = watchingMemory();
    const both = ["gw-1", "gw-2"].map((edge) => watches.watch(request({ edge }), nobodyHangsUp()));
    await Promise.all(both.map(answerOf));
    log.append("revoked", "a", T0);
    expect(await Promise.all(both)).toEqual([saying(1, ["a"]), saying(1, ["a"])]);
  });

  it("an answer names a bounded number of sessions, and the next goes on from there", async () => {
    const { log, watches } = watchingMemory();
    for (let i = 0; i <= MAX_WATCH_ENTRIES; i++) log.append("revoked", `s${i}`, T0);
    const first = await watches.watch(request(), nobodyHangsUp());
    expect(first).toMatchObject({ answer: { cursor: MAX_WATCH_ENTRIES } });
    const second = await watches.watch(request({ since: MAX_WATCH_ENTRIES }), nobodyHangsUp());
    expect(second).toEqual(saying(MAX_WATCH_ENTRIES + 1, [`s${MAX_WATCH_ENTRIES}`]));
  });

  it("an answer names a session once, however often it was refreshed", async () => {
    const { log, watches } = watchingMemory();
    for (let i = 0; i < 3; i++) log.append("refresh", "a", T0);
    expect(await watches.watch(request(), nobodyHangsUp())).toEqual(saying(3, [], ["a"]));
  });

  it("a watch without a log is answered with the head at once, so that it misses nothing", async () => {
    const { log, watches } = watchingMemory();
    log.append("revoked", "a", T0);
    expect(await watches.watch(request({ log: undefined, since: 0 }), nobodyHangsUp())).toEqual(saying(1, []));
    expect(watches.heldCount()).toBe(0);
  });
});

describe("a watch over the store", () => {
  it("a watch is answered with a revocation as soon as that is durable, and not before", async () => {
    const store = await temporaryStore();
    const { watches } = watchesOver(store.invalidations);
    const session = sessionAt(T0);
    await store.create(session);
    const { log } = await store.position();
    const watched = watches.watch(request({ log, policy: received(1, { log }) }), nobodyHangsUp());
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

describe("a watch is answered with a reset", () => {
  const reset = (cursor: number) => answered({ reset: true, cursor });

  it("a watch whose cursor is past the head is answered with a reset", async () => {
    const { log, watches } = watchingMemory();
    log.append("revoked", "a", T0);
    expect(await watches.watch(request({ since: 2 }), nobodyHangsUp())).toEqual(reset(1));
  });

  it("a watch whose next entries have been dropped is answered with a reset", async () => {
    const { log, watches } = watchingMemory();
    for (const id of ["a", "b"]) log.append("revoked", id, T0);
    await log.trim({ notBeforeMs: 0, nowMs: Infinity, entries: 1 }, 10);
    expect(await watches.watch(request({ since: 0 }), nobodyHangsUp())).toEqual(reset(2));
    expect(await watches.watch(request({ since: 1 }), nobodyHangsUp())).toEqual(saying(2, ["b"]));
  });

  it("a watch of another log is answered with a reset, whatever its cursor", async () => {
    const { watches } = watchingMemory();
    for (const since of [0, 7]) {
      expect(await watches.watch(request({ log: "20000000000000bb", since }), nobodyHangsUp())).toEqual(reset(0));
    }
  });

  it("a held watch is answered with a reset when dropped entries leave a gap", async () => {
    const { log, watches } = watchesOver(new SlowLog());
    const watched = watches.watch(request(), nobodyHangsUp());
    await answerOf(watched);
    const look = log.holdNextReading();
    log.append("revoked", "a", T0);
    await log.trim({ notBeforeMs: T0 + 1, nowMs: Infinity, entries: 10 }, 10);
    look();
    expect(await answerOf(watched)).toEqual(saying(1, ["a"]));
    expect(await watches.watch(request({ since: 0 }), nobodyHangsUp())).toEqual(reset(1));
  });
});
