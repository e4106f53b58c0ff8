// What the log says of edges: a line when something begins to be wrong with one, and a line when it ends.
import { describe, expect, it } from "vitest";

import { EdgeConditions, startEdgeConditions } from "../../../src/app/edges/status/edge-conditions.js";
import type { ClockOfMost } from "../../../src/app/edges/status/edge-clocks.js";
import type { EdgeView } from "../../../src/app/edges/status/edge-views.js";
import { UnauthenticatedCalls } from "../../../src/app/edges/status/unauthenticated-calls.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { ManualTimers } from "../../support/manual-timers.js";
import { FILTER, settled } from "../../support/watching.js";
import { currentEdge } from "../../support/edge-view.js";

interface Line {
  readonly level: string;
  readonly event: string;
  readonly message: string;
  readonly condition?: string;
  readonly begins?: boolean;
}

const VIEW = currentEdge(7, { filter: FILTER });

function logging() {
  const lines: Line[] = [];
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, message, ...(fields as { event: string }) });
  };
  return { lines, logger: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") } };
}

/** Looks as often as a test says at what edges are then. */
function looking() {
  const { lines, logger } = logging();
  const clock = new FixedClock();
  let views: EdgeView[] = [];
  let most: ClockOfMost | null = null;
  const conditions = new EdgeConditions({
    edges: () => Promise.resolve(views),
    clockOfMost: () => most,
    clock,
    logger,
  });
  const clockOfMost = (clockOf: ClockOfMost | null): void => void (most = clockOf);
  const look = async (...now: Partial<EdgeView>[]): Promise<string[]> => {
    views = now.map((fields) => ({ ...VIEW, ...fields }));
    clock.advance(5000);
    const before = lines.length;
    await conditions.look();
    return lines.slice(before).map(({ level, begins, condition }) => {
      return `${level} ${condition ?? ""} ${begins === true ? "begins" : "ends"}`;
    });
  };
  return { lines, clock, look, clockOfMost };
}

describe("the log of edges", () => {
  it.each(["rejected", "trapped", "behind", "olderFilter", "silent"] as const)(
    "the log has one line when an edge becomes %s, and one when that ends",
    async (state) => {
      const { look } = looking();
      expect(await look({})).toEqual([]);
      expect(await look({ state })).toEqual([`warn ${state} begins`]);
      for (let i = 0; i < 10; i++) expect(await look({ state })).toEqual([]);
      expect(await look({})).toEqual([`info ${state} ends`]);
      expect(await look({})).toEqual([]);
    },
  );

  it("an edge that follows its own settings is logged without a warning", async () => {
    const { look } = looking();
    expect(await look({ state: "notFollowing" })).toEqual(["info notFollowing begins"]);
    expect(await look({ state: "notFollowing" })).toEqual([]);
  });

  it("an edge that is taking a policy has no line in the log", async () => {
    const { look } = looking();
    expect(await look({ state: "waiting" })).toEqual([]);
    expect(await look({})).toEqual([]);
  });

  it("silent workers are logged beside the state, once however many they are", async () => {
    const { look, lines } = looking();
    expect(await look({ silentWorkers: 1 })).toEqual(["warn silentWorkers begins"]);
    expect(lines[0]?.message).toBe(
      "edge gw-1 has workers that no longer report: each of them may serve without the filter",
    );
    expect(await look({ silentWorkers: 2 })).toEqual([]);
    expect(await look({ silentWorkers: 2, state: "behind" })).toEqual(["warn behind begins"]);
    expect(await look({ state: "behind" })).toEqual(["info silentWorkers ends"]);
  });

  it("two Envoys with one node.id are logged once, whatever their addresses become", async () => {
    const { look, lines } = looking();
    const double = { tableName: "default", addresses: ["10.0.0.7", "10.0.0.8"], since: 0 };
    expect(await look({ double })).toEqual(["warn double begins"]);
    expect(lines[0]).toMatchObject({ edge: "gw-1", tableName: "default", addresses: double.addresses });
    expect(lines[0]?.message).toBe(
      "edge gw-1 is two Envoys with one node.id: both watch, of table default, from 10.0.0.7 and 10.0.0.8",
    );
    expect(await look({ double: { ...double, addresses: ["10.0.0.9"] } })).toEqual([]);
    expect(await look({})).toEqual(["info double ends"]);
    expect(await look({ double })).toEqual(["warn double begins"]);
    expect(await look()).toEqual(["info double ends"]);
  });

  it("a clock that is off is logged once, with the side that it is on and by how much", async () => {
    const { look, lines } = looking();
    expect(await look({ clockOff: true, clockOffsetMs: -720_000 })).toEqual(["warn clock begins"]);
    expect(lines[0]).toMatchObject({ edge: "gw-1", clockOffsetMs: -720_000 });
    expect(lines[0]?.message).toBe("edge gw-1 has a clock that is 12 minutes behind the control plane's (-720 s)");
    expect(await look({ clockOff: true, clockOffsetMs: -721_000 })).toEqual([]);
    expect(await look({ clockOff: false, clockOffsetMs: 0 })).toEqual(["info clock ends"]);
  });

  it("the control plane's clock is logged once when most edges' clocks differ from it", async () => {
    const { look, lines, clockOfMost } = looking();
    clockOfMost({ offsetMs: 3_600_000, edges: 9, isSure: true });
    await look({});
    await look({});
    expect(lines).toMatchObject([
      { level: "warn", event: "clock-differs", begins: true, offsetMs: 3_600_000, edges: 9 },
    ]);
    expect(lines[0]?.message).toBe(
      "the clocks of 9 edges, most of all, agree and are 60 minutes ahead of this control plane's (+3600 s): " +
        "see that this machine's time is right",
    );
    clockOfMost(null);
    await look({});
    expect(lines[1]).toMatchObject({ level: "info", event: "clock-differs", begins: false });
    expect(lines).toHaveLength(2);
  });

  it("a rejection is logged with its violations, and the next rejected policy again", async () => {
    const { look, lines } = looking();
    const violations = [{ path: "plans[0].x", message: "unknown field" }];
    await look({ state: "rejected", violations });
    expect(lines[0]).toMatchObject({ edge: "gw-1", published: 7, violations, build: FILTER.build });
    expect(await look({ state: "rejected", violations, published: 8 })).toEqual([
      "info rejected ends",
      "warn rejected begins",
    ]);
  });

  it("a condition of an edge ends in the log when the edge is gone or has another one", async () => {
    const { look, lines } = looking();
    await look({ state: "rejected" }, { edge: "gw-2", silentWorkers: 1 });
    expect(await look({ state: "silent" })).toEqual([
      "info rejected ends",
      "warn silent begins",
      "info silentWorkers ends",
    ]);
    expect(lines.map(({ message }) => message)).toContain(
      "no longer: edge gw-1 rejects the published policy and runs the one before; it is now silent",
    );
    expect(await look()).toEqual(["info silent ends"]);
    expect(lines.at(-1)?.message).toContain("it is gone, and no longer listed");
  });

  it("no edge is logged right after the control plane itself was stopped for a moment", async () => {
    const { look, clock } = looking();
    await look({});
    clock.advance(60_000);
    expect(await look({ state: "silent" })).toEqual([]);
    expect(await look({ state: "silent" })).toEqual(["warn silent begins"]);
  });
});

describe("looking at edges", () => {
  it("the log looks at edges each 5 s, over a failure too, until it is stopped", async () => {
    const { lines, logger } = logging();
    const clock = new FixedClock();
    const timers = new ManualTimers(clock);
    let looks = 0;
    const edges = (): Promise<EdgeView[]> => {
      looks += 1;
      return looks === 1 ? Promise.reject(new Error("the store is closed")) : Promise.resolve([]);
    };
    const stop = startEdgeConditions({ edges, clockOfMost: () => null, clock, timers, logger });
    for (let i = 0; i < 3; i++) {
      timers.advance(5000);
      await settled();
    }
    expect([looks, lines.map(({ event }) => event)]).toEqual([3, ["edges-failed"]]);
    stop();
    timers.advance(5000);
    expect([looks, timers.pending]).toEqual([3, 0]);
  });
});

describe("the log of callers whose secret differs", () => {
  const calls = () => {
    const { lines, logger } = logging();
    const clock = new FixedClock();
    let counted = 0;
    const unauthenticated = new UnauthenticatedCalls({ clock, logger, counted: () => (counted += 1) });
    return { lines, clock, unauthenticated, counted: () => counted };
  };

  it("a caller whose secret differs has one line a minute, with its calls so far", () => {
    const { lines, clock, unauthenticated, counted } = calls();
    for (let i = 0; i < 10; i++) unauthenticated.denied("gw-1", "10.0.0.7");
    unauthenticated.denied("gw-1", "10.0.0.8");
    expect(lines.map(({ message }) => message)).toEqual([
      "a caller that claims to be edge gw-1, from 10.0.0.7, was denied: its secret differs from the control plane's",
      "a caller that claims to be edge gw-1, from 10.0.0.8, was denied: its secret differs from the control plane's",
    ]);
    clock.advance(60_000);
    unauthenticated.denied("gw-1", "10.0.0.7");
    expect([lines.length, counted()]).toEqual([3, 12]);
    expect(lines.at(-1)).toMatchObject({ level: "warn", calls: 11 });
  });

  it("the lines for callers are bounded, however many names somebody claims", () => {
    const { lines, clock, unauthenticated, counted } = calls();
    for (let i = 0; i < 10_000; i++) unauthenticated.denied(`gw-${i}`, "10.0.0.7");
    expect([lines.length, unauthenticated.list().length, counted()]).toEqual([20, 100, 10_000]);
    clock.advance(60_000);
    unauthenticated.denied("x".repeat(10_000), "10.0.0.7");
    expect([lines.length, unauthenticated.list()[0]?.claimedEdge.length]).toEqual([21, 256]);
  });
});
