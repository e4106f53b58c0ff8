// Watches where the store's log becomes another one while the control plane runs, before and after each step.
import { describe, expect, it, vi } from "vitest";

import { StoreUnwritable } from "../../../src/app/ports/store-health.js";
import { MemoryLog } from "../../../src/store/memory/invalidation-log.js";
import type { LogReading } from "../../../src/app/ports/log-ports.js";
import type { LogPosition } from "../../../src/domain/stored.js";
import {
  answerOf,
  nobodyHangsUp,
  received,
  request,
  saying,
  settled,
  T0,
  watchesOver,
  watchingMemory,
} from "../../support/watching.js";

const OTHER_LOG = "20000000000000bb";
const resetTo = (cursor: number) => ({ outcome: "answered", answer: { reset: true, log: OTHER_LOG, cursor } });

/** A log that becomes another one right after the next look at it, before whoever looked gets to know. */
class LogThatChanges extends MemoryLog {
  after: "position" | "read" | undefined;

  override async position(): Promise<LogPosition> {
    const position = await super.position();
    this.changeAfter("position");
    return position;
  }

  override async read(since: LogPosition, limit: number): Promise<LogReading> {
    const reading = await super.read(since, limit);
    this.changeAfter("read");
    return reading;
  }

  private changeAfter(step: "position" | "read"): void {
    if (this.after !== step) return;
    this.after = undefined;
    this.change(OTHER_LOG);
  }
}

describe("a log that becomes another one", () => {
  it("every held watch is answered with a reset at once when the log becomes another", async () => {
    const { log, watches, timers, outcomes } = watchingMemory();
    log.append("revoked", "a", T0);
    log.append("revoked", "b", T0);
    const held = ["gw-1", "gw-2"].map((edge) => watches.watch(request({ edge, since: 2 }), nobodyHangsUp()));
    await Promise.all(held.map(answerOf));
    log.change(OTHER_LOG);
    expect(await Promise.all(held.map(answerOf))).toEqual([resetTo(2), resetTo(2)]);
    expect([watches.heldCount(), timers.pending, outcomes]).toEqual([0, 0, ["reset", "reset"]]);
  });

  it("an edge hears of a revocation whose number the former log had given to another", async () => {
    const { log, watches } = watchingMemory();
    log.append("revoked", "a", T0);
    log.append("revoked", "b", T0);
    const held = watches.watch(request({ since: 2 }), nobodyHangsUp());
    await answerOf(held);
    log.change(OTHER_LOG, 1);
    log.append("revoked", "c", T0);
    expect(await answerOf(held)).toEqual(resetTo(1));
    const again = { log: OTHER_LOG, policy: received(1, { log: OTHER_LOG }) };
    expect(await watches.watch(request({ ...again, since: 1 }), nobodyHangsUp())).toEqual({
      outcome: "answered",
      answer: { log: OTHER_LOG, cursor: 2, revoked: ["c"], refresh: [] },
    });
  });

  it.each(["position", "read"] as const)(
    "a watch is answered with a reset when the log becomes another after its look at the %s",
    async (after) => {
      const { log, watches } = watchesOver(new LogThatChanges());
      log.after = after;
      expect(await answerOf(watches.watch(request(), nobodyHangsUp()))).toEqual(resetTo(0));
    },
  );

  it("a watch that finds no room is answered with a reset too where the log becomes another", async () => {
    const { log, watches } = watchesOver(new LogThatChanges(), 0);
    log.after = "position";
    expect(await answerOf(watches.watch(request(), nobodyHangsUp()))).toEqual(resetTo(0));
  });

  it("entries that were read before the log became another are answered as the former one's", async () => {
    const { log, watches } = watchesOver(new LogThatChanges());
    const held = watches.watch(request(), nobodyHangsUp());
    await answerOf(held);
    log.after = "read";
    log.append("revoked", "a", T0);
    expect(await answerOf(held)).toEqual(saying(1, ["a"]));
    const policy = received(1, { log: OTHER_LOG });
    expect(await answerOf(watches.watch(request({ since: 1, policy }), nobodyHangsUp()))).toEqual(resetTo(1));
  });
});

describe("a log that cannot be read for a while", () => {
  it("a held watch is answered a second after a read that failed, without another commit", async () => {
    const { log, watches, timers, logged } = watchingMemory();
    const held = watches.watch(request(), nobodyHangsUp());
    await answerOf(held);
    const away = vi.spyOn(log, "read").mockRejectedValue(new StoreUnwritable("the store is away"));
    log.append("revoked", "a", T0);
    await settled();
    timers.advance(1000);
    expect(await answerOf(held)).toBeUndefined();
    away.mockRestore();
    timers.advance(999);
    expect(await answerOf(held)).toBeUndefined();
    timers.advance(1);
    expect(await answerOf(held)).toEqual(saying(1, ["a"]));
    expect([timers.pending, logged.length]).toEqual([0, 2]);
  });

  it("only edges of the former log begin anew once the log can be read again", async () => {
    const { log, watches, timers } = watchingMemory();
    const former = watches.watch(request(), nobodyHangsUp());
    await answerOf(former);
    const away = vi.spyOn(log, "read").mockRejectedValue(new StoreUnwritable("the store is away"));
    log.change(OTHER_LOG);
    const present = { edge: "gw-2", log: OTHER_LOG, policy: received(1, { log: OTHER_LOG }) };
    const other = watches.watch(request(present), nobodyHangsUp());
    expect(await answerOf(former)).toBeUndefined();
    away.mockRestore();
    timers.advance(1000);
    expect(await answerOf(former)).toEqual(resetTo(0));
    expect(await answerOf(other)).toBeUndefined();
  });

  it("the log is read again once for all held watches, wherever they are in it", async () => {
    const { log, watches, timers } = watchingMemory();
    log.append("revoked", "a", T0);
    vi.spyOn(log, "read").mockRejectedValue(new StoreUnwritable("the store is away"));
    void watches.watch(request(), nobodyHangsUp());
    void watches.watch(request({ edge: "gw-2", since: 1 }), nobodyHangsUp());
    await settled();
    expect([watches.heldCount(), timers.pending]).toEqual([2, 3]);
  });

  it("a stop of the control plane that cannot read the log repeats no read", async () => {
    const { log, watches, timers } = watchingMemory();
    void watches.watch(request(), nobodyHangsUp());
    await settled();
    vi.spyOn(log, "read").mockRejectedValue(new StoreUnwritable("the store is away"));
    await watches.stop();
    expect([watches.heldCount(), timers.pending]).toEqual([0, 0]);
  });

  it("a stop of the control plane ends the reads that would be repeated", async () => {
    const { log, watches, timers } = watchingMemory();
    void watches.watch(request(), nobodyHangsUp());
    await settled();
    vi.spyOn(log, "read").mockRejectedValue(new StoreUnwritable("the store is away"));
    log.append("revoked", "a", T0);
    await settled();
    await watches.stop();
    expect([watches.heldCount(), timers.pending]).toEqual([0, 0]);
  });
});

describe("propagation over two logs", () => {
  it("an edge that begins anew in another log has received what was revoked in the former", async () => {
    const { clock, log, watches, propagated } = watchingMemory();
    const says = async (of: string, since: number): Promise<void> => {
      const policy = received(1, { log: log.id });
      void watches.watch(request({ log: of, since, policy }), nobodyHangsUp());
      await settled();
    };
    const former = log.id;
    await says(former, 0);
    log.append("revoked", "a", T0);
    await says(former, 1);
    expect(propagated).toEqual([0]);
    // The answer with it is lost.
    log.append("revoked", "b", T0);
    clock.advance(5);
    log.change(OTHER_LOG, 1);
    log.append("revoked", "c", T0);
    // It is told to begin anew behind both.
    await says(former, 1);
    expect(propagated).toEqual([0]);
    log.append("revoked", "d", T0);
    clock.advance(2);
    await says(OTHER_LOG, 2);
    expect(propagated).toEqual([0, 7, 2]);
    await says(OTHER_LOG, 3);
    expect(propagated).toEqual([0, 7, 2, 2]);
  });
});
