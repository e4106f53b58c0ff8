// Edges whose clock is more than a minute off: when they are named, and when it is the control plane's own.
import { describe, expect, it } from "vitest";

import { SteadyTime } from "../../../src/app/upkeep/steady-clock.js";
import { EdgeRegistry } from "../../../src/app/edges/status/edge-registry.js";
import { offsetWords, signedSeconds } from "../../../src/domain/clock-offset.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { envoy, MINUTE_MS, SECOND_MS, sideBySide } from "../../support/edges-side-by-side.js";
import { POLICY } from "../../support/watching.js";
import { PoliciesInForce } from "../../support/policies-in-force.js";

/** Edges that each watch, with clocks that a test sets; by name. */
function clocks(...edges: string[]) {
  const scene = sideBySide();
  const aheadMs = new Map<string, number>();
  const said = edges.map((edge, at) => () => {
    const wallMs = scene.clock.nowMs() + (aheadMs.get(edge) ?? 0);
    return envoy("abcdef"[at] ?? "0", undefined, { edge, wallMs });
  });
  /** From now on its clock is so far ahead of the control plane's; below 0 behind. */
  const set = (edge: string, ms: number): void => void aheadMs.set(edge, ms);
  const pass = (ms: number): Promise<void> => scene.pass(ms, ...said);
  const off = async (): Promise<string[]> =>
    (await scene.page()).edges.filter(({ clockOff }) => clockOff).map(({ edge }) => edge);
  return { ...scene, set, pass, off };
}

describe("the clock of an edge", () => {
  it.each([
    ["ahead", 61 * SECOND_MS],
    ["behind", -12 * MINUTE_MS],
  ])("an edge whose clock is %s by more than a minute is named, with by how much", async (_side, ms) => {
    const scene = clocks("gw-1", "gw-2", "gw-3");
    scene.set("gw-2", ms);
    await scene.pass(20 * SECOND_MS);
    expect(await scene.off()).toEqual(["gw-2"]);
    const view = await scene.view("gw-2");
    expect([view?.clockOffsetMs, view?.instances[0]?.clockOffsetMs]).toEqual([ms, ms]);
    scene.set("gw-2", 0);
    await scene.pass(SECOND_MS);
    expect(await scene.off()).toEqual([]);
  });

  it.each([
    ["first", [-70, 30, 9]],
    ["last", [9, 30, -70]],
  ])(
    "an edge shows the clock that is furthest off of all its instances, also if it is the %s",
    async (_at, seconds) => {
      const scene = sideBySide();
      const said = seconds.map((one, at) => () => {
        const wallMs = scene.clock.nowMs() + one * SECOND_MS;
        return envoy("abc"[at] ?? "0", undefined, { wallMs });
      });
      await scene.pass(20 * SECOND_MS, ...said);
      expect(await scene.view()).toMatchObject({ clockOffsetMs: -70 * SECOND_MS, clockOff: true });
    },
  );

  it("an edge whose clock is off by a minute or less is not named", async () => {
    const scene = clocks("gw-1", "gw-2", "gw-3");
    scene.set("gw-1", MINUTE_MS);
    scene.set("gw-2", -MINUTE_MS);
    await scene.pass(MINUTE_MS);
    expect(await scene.off()).toEqual([]);
  });

  it("a body that was under way for minutes does not make an edge's clock wrong", async () => {
    const scene = clocks("gw-1", "gw-2", "gw-3");
    await scene.pass(MINUTE_MS);
    scene.set("gw-1", -5 * MINUTE_MS);
    await scene.pass(10 * SECOND_MS);
    expect(await scene.off()).toEqual([]);
    scene.set("gw-1", 0);
    await scene.pass(MINUTE_MS);
    expect(await scene.off()).toEqual([]);
  });

  it("a clock that wavers about the bound is named once, until it is well within", async () => {
    const scene = clocks("gw-1", "gw-2", "gw-3");
    scene.set("gw-1", 61 * SECOND_MS);
    await scene.pass(20 * SECOND_MS);
    for (const seconds of [59, 61, 56, 60]) {
      scene.set("gw-1", seconds * SECOND_MS);
      await scene.pass(10 * SECOND_MS);
      expect(await scene.off()).toEqual(["gw-1"]);
    }
    scene.set("gw-1", 55 * SECOND_MS);
    await scene.pass(SECOND_MS);
    expect(await scene.off()).toEqual([]);
  });

  it("the clock of an edge that has stopped watching is not named any more", async () => {
    const scene = clocks("gw-1");
    scene.set("gw-1", 10 * MINUTE_MS);
    await scene.pass(20 * SECOND_MS);
    expect(await scene.off()).toEqual(["gw-1"]);
    scene.timers.advance(20 * SECOND_MS);
    scene.timers.advance(MINUTE_MS + 1);
    expect(await scene.view()).toMatchObject({ clockOff: false, clockOffsetMs: null });
  });

  it("a filter that does not say what time it is has no clock to be named", async () => {
    const scene = sideBySide();
    await scene.pass(MINUTE_MS, envoy("a"));
    expect(await scene.view()).toMatchObject({ clockOff: false, clockOffsetMs: null });
  });
});

describe("the clock of the control plane", () => {
  it("no edge is named when the control plane's own clock is wrong: it is", async () => {
    const edges = ["gw-1", "gw-2", "gw-3", "gw-4"];
    const scene = clocks(...edges);
    await scene.pass(MINUTE_MS);
    for (const edge of edges) scene.set(edge, -60 * MINUTE_MS);
    for (let seconds = 0; seconds < 60; seconds += 5) {
      await scene.pass(5 * SECOND_MS);
      expect(await scene.off()).toEqual([]);
    }
    expect((await scene.page()).clockOfMost).toMatchObject({ offsetMs: -60 * MINUTE_MS, edges: 4 });
    for (const edge of edges) scene.set(edge, 0);
    await scene.pass(10 * SECOND_MS);
    expect((await scene.page()).clockOfMost).toBeNull();
  });

  it("edges whose clocks are wrong in ways of their own are named, also where they are most", async () => {
    const scene = clocks("gw-1", "gw-2", "gw-3");
    scene.set("gw-1", 10 * MINUTE_MS);
    scene.set("gw-2", -10 * MINUTE_MS);
    await scene.pass(20 * SECOND_MS);
    expect([await scene.off(), (await scene.page()).clockOfMost]).toEqual([["gw-1", "gw-2"], null]);
  });

  it("a single edge is named, although nobody can tell whose clock is wrong", async () => {
    const scene = clocks("gw-1");
    scene.set("gw-1", 90 * SECOND_MS);
    await scene.pass(20 * SECOND_MS);
    expect([await scene.off(), (await scene.page()).clockOfMost]).toEqual([["gw-1"], null]);
  });

  it("a jump of the control plane's clock that is taken back names no edge's clock", () => {
    const machine = new FixedClock();
    const logger = { debug: noted, info: noted, warn: noted, error: noted };
    const policies = new PoliciesInForce(machine, POLICY);
    const clock = new SteadyTime({ machine, logger, policies });
    const registry = new EdgeRegistry({ clock, policies });
    const startedAtMs = machine.nowMs();
    /** Of an edge whose own clock is right, after so long. */
    const watchAfter = (passedMs: number): boolean | undefined => {
      const said = envoy("a", undefined, { wallMs: startedAtMs + passedMs });
      registry.watched(said);
      registry.watching(said)();
      return registry.known(0)[0]?.clock?.isOff;
    };
    let passedMs = 0;
    const pass = (ms: number): void => {
      machine.advance(ms);
      passedMs += ms;
    };
    pass(MINUTE_MS);
    clock.nowMs();
    const seen = [watchAfter(passedMs)];
    machine.step(60 * MINUTE_MS);
    for (let i = 0; i < 3; i++) {
      pass(6 * SECOND_MS);
      seen.push(watchAfter(passedMs));
    }
    machine.step(-60 * MINUTE_MS);
    pass(5 * SECOND_MS);
    seen.push(watchAfter(passedMs));
    expect(seen).toEqual([false, false, false, false, false]);
  });
});

it.each([
  [-720_000, "12 minutes behind", "-720 s"],
  [61_400, "61 seconds ahead of", "+61 s"],
  [7_200_000, "2 hours ahead of", "+7200 s"],
  [-31_536_000_000, "365 days behind", "-31536000 s"],
] as const)("a clock's offset of %s ms reads %s", (ms, words, seconds) => {
  expect([offsetWords(ms), signedSeconds(ms)]).toEqual([words, seconds]);
});

function noted(): void {
  // What the clock says of its jumps is tested elsewhere.
}
