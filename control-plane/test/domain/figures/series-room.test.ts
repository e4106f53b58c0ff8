// Which series an edge's counts go to: its own while there is room, and never more than 10,000 in all.
import { beforeEach, describe, expect, it } from "vitest";

import { counterNamed, OTHER } from "../../../src/domain/figures/counter-families.js";
import type { EdgeCounter } from "../../../src/domain/figures/counter-families.js";
import { MAX_SERIES, MAX_SERIES_OF_EDGE, SeriesRoom } from "../../../src/domain/figures/series-room.js";
import type { Placed, Series } from "../../../src/domain/figures/series-room.js";

const HOUR_MS = 3_600_000;

function named(name: string): EdgeCounter {
  const counter = counterNamed(name);
  if (counter === undefined) throw new Error(`there is no counter ${name}`);
  return counter;
}

const spentBy = (plan: number | string): EdgeCounter => named(`tokens_spent.plan=p-${plan}`);

/** All series that there are, as a scrape sees them. */
const there = new Set<string>();
const textOf = ({ family, labels }: Series): string => JSON.stringify([family, labels]);
let room: SeriesRoom;
beforeEach(() => {
  there.clear();
  room = new SeriesRoom(HOUR_MS, (series) => void there.delete(textOf(series)));
});

function place(edge: string, counter: EdgeCounter, nowMs = 0): Placed {
  const placed = room.place(edge, counter, nowMs);
  there.add(textOf(placed));
  return placed;
}

describe("the series of edges", () => {
  it("an edge's counter has a series of its own, with the labels that it has", () => {
    const placed = place("gw-1", named("requests.outcome=limited.plan=gold.limit=daily"));
    expect(placed.labels).toEqual({ edge: "gw-1", outcome: "limited", plan: "gold", limit: "daily" });
    expect(placed).toMatchObject({ family: "requests", isOwn: true });
    expect(place("gw-1", named("requests.outcome=missing")).labels).toEqual({ edge: "gw-1", outcome: "missing" });
  });

  it("a fleet of 1,000 edges with 100 plans has at most 10,000 series", () => {
    const plans = Array.from({ length: 100 }, (_, plan) => spentBy(plan));
    const last = new Map<string, Placed>();
    for (let edge = 0; edge < 1000; edge++) {
      for (const counter of [...plans, named("restores")]) last.set(counter.name, place(`gw-${edge}`, counter));
    }
    expect(there.size).toBeGreaterThan(9000);
    expect(there.size).toBeLessThanOrEqual(MAX_SERIES);
    // What has no room is counted, and by its plan as long as that has.
    expect(last.get("tokens_spent.plan=p-7")).toMatchObject({ isOwn: false, labels: { edge: OTHER, plan: "p-7" } });
  });

  it("names that somebody makes up without end have at most 10,000 series", () => {
    for (let edge = 0; edge < 2000; edge++) {
      for (let plan = 0; plan < 10; plan++) place(`made-up-${edge}`, spentBy(`${edge}-${plan}`));
    }
    expect(there.size).toBeLessThanOrEqual(MAX_SERIES);
    const placed = place("gw-1", named("requests.outcome=limited.plan=new.limit=newer"));
    expect(placed.labels).toEqual({ edge: OTHER, outcome: "limited", plan: OTHER, limit: OTHER });
    expect(placed.isOwn).toBe(false);
  });

  it("one edge with thousands of plans leaves the others their series", () => {
    for (let plan = 0; plan < 5000; plan++) place("gw-1", spentBy(plan));
    expect(there.size).toBe(MAX_SERIES_OF_EDGE + 1);
    expect(place("gw-1", spentBy(4999))).toMatchObject({ isOwn: false, labels: { edge: "gw-1", plan: OTHER } });
    expect(place("gw-1", named("restores")).isOwn).toBe(true);
    expect(place("gw-2", spentBy(4999)).isOwn).toBe(true);
  });

  it("a series that an edge has stays its own when there is no more room", () => {
    place("gw-1", spentBy(1));
    for (let edge = 0; edge < 12_000; edge++) place(`more-${edge}`, spentBy(1));
    expect(place("gw-1", spentBy(1)).isOwn).toBe(true);
  });

  it("an edge that is gone for an hour makes room for a new one, and no other does", () => {
    for (let edge = 0; edge < 8000; edge++) place(`gw-${edge}`, spentBy(1));
    place("gw-0", spentBy(1), HOUR_MS - 1);
    expect(place("new", spentBy(1), HOUR_MS - 1).labels).toMatchObject({ edge: "new", plan: OTHER });
    expect(place("newer", spentBy(1), HOUR_MS)).toMatchObject({ isOwn: true });
    expect(there.has(textOf({ family: "tokens_spent", labels: { edge: "gw-1", plan: "p-1" } }))).toBe(false);
    expect(there.has(textOf({ family: "tokens_spent", labels: { edge: "gw-0", plan: "p-1" } }))).toBe(true);
  });
});

describe("the name of a counter", () => {
  it.each([
    "",
    "restores.",
    "restores.edge=gw-1",
    "requests",
    "requests.outcome=stolen",
    "requests.outcome=allowed.outcome=limited",
    "requests.outcome=allowed.plan=",
    "requests.outcome=allowed.plan=GOLD",
    "requests.outcome=allowed.plan=_other",
    `requests.outcome=allowed.plan=${"p".repeat(33)}`,
    "requests.outcome=allowed.plan=gold=silver",
    "tokens_spent.__proto__=gold",
    "__proto__",
    "constructor",
  ])("%j is no counter", (name) => {
    expect(counterNamed(name)).toBeUndefined();
  });
});
