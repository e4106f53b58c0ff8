// The rollout's memory of edges is bounded.
import { describe, expect, it } from "vitest";
import { GONE_AFTER_MS } from "../src/app/edge-instances.js";
import { Rollout } from "../src/app/rollout.js";
import { FixedClock } from "./support/fixed-clock.js";

const clock = { nowMs: () => 1_700_000_000_000, monotonicMs: () => 0 };
const names = (rollout: Rollout): string[] => rollout.edges().map(({ edge }) => edge);

describe("the rollout", () => {
  it("forgets the edge that is gone the longest when there are too many", () => {
    const rollout = new Rollout(clock, 3);
    for (const edge of ["a", "b", "c"]) rollout.connected(edge);
    rollout.disconnected("c");
    rollout.disconnected("a");
    rollout.connected("d");
    expect(names(rollout).sort()).toEqual(["a", "b", "d"]);
    rollout.connected("e");
    expect(names(rollout).sort()).toEqual(["b", "d", "e"]);
  });

  it("remembers an edge that comes back before that", () => {
    const rollout = new Rollout(clock, 3);
    rollout.connected("a");
    rollout.accepted("a", 7);
    rollout.disconnected("a");
    rollout.connected("a");
    expect(rollout.edge("a")).toMatchObject({ running: 7, streams: 1 });
  });

  it("lists an edge without a stream for as long as it may come back, counted from its last stream", () => {
    const time = new FixedClock();
    const rollout = new Rollout(time);
    rollout.connected("a");
    rollout.connected("a");
    rollout.disconnected("a");
    time.advance(GONE_AFTER_MS);
    expect(names(rollout)).toEqual(["a"]);
    rollout.disconnected("a");
    time.advance(GONE_AFTER_MS - 1);
    expect(names(rollout)).toEqual(["a"]);
    time.advance(1);
    expect(names(rollout)).toEqual([]);
  });

  it("still knows what an edge has refused that comes back after it was left out", () => {
    const time = new FixedClock();
    const rollout = new Rollout(time);
    rollout.connected("a");
    rollout.refused("a", { generation: 1, version: "1.x.y" }, "no such plan");
    rollout.disconnected("a");
    time.advance(GONE_AFTER_MS);
    rollout.connected("a");
    time.advance(GONE_AFTER_MS);
    expect(rollout.edges()).toMatchObject([{ edge: "a", state: "refused", refusal: { version: "1.x.y" } }]);
  });

  it("counts an edge with two streams, as in a hot restart, as connected until both are gone", () => {
    const rollout = new Rollout(clock);
    rollout.connected("a");
    rollout.connected("a");
    rollout.disconnected("a");
    expect(rollout.edge("a")?.streams).toBe(1);
    rollout.disconnected("a");
    expect(rollout.edge("a")?.streams).toBe(0);
  });

  it("keeps no more of a reason than a log line can bear", () => {
    const rollout = new Rollout(clock);
    rollout.connected("a");
    rollout.refused("a", { generation: 1, version: "1.x.y" }, "x".repeat(50_000));
    expect(rollout.edge("a")?.refusal).toMatchObject({ atMs: 1_700_000_000_000, reason: "x".repeat(1000) });
  });

  it("hears nothing from an edge that it does not know", () => {
    const rollout = new Rollout(clock);
    rollout.accepted("a", 1);
    rollout.disconnected("a");
    expect(rollout.edges()).toEqual([]);
  });
});
