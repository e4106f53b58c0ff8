// What the log says of edges: a line when something begins to be wrong with one, and a line when it ends.
import { describe, expect, it } from "vitest";

import { EdgeConditions, startEdgeConditions } from "../../../src/app/edges/status/edge-conditions.js";
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
  const conditions = new EdgeConditions({ edges: () => Promise.resolve(views), clock, logger });
  const look = async (...now: Partial<EdgeView>[]): Promise<string[]> => {
    views = now.map((fields) => ({ ...VIEW, ...fields }));
    clock.advance(5000);
    const before = lines.length;
    await conditions.look();
    return lines.slice(before).map(({ level, begins, condition }) => {
      return `${level} ${condition ?? ""} ${begins === true ? "begins" : "ends"}`;
    });
  };
  return { lines, clock, look };
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
    const stop = startEdgeConditions({ edges, clock, timers, logger });
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
