// The pure parts of npm run fleet, on made-up times: what it finds, what it asks for, and what it says.
import { describe, expect, it } from "vitest";
import type { Decision } from "../e2e/harness/decision-times.js";
import { fleetArguments } from "../fleet/arguments.js";
import { comparedSection, timesOf } from "../fleet/compare/compared.js";
import { Counted } from "../fleet/figures/counted.js";
import { Demand, EDGES, partsAt, type SessionDemand, SESSIONS, wantedPerSecond } from "../fleet/figures/demand.js";
import { admittedByOne, figuresOf } from "../fleet/figures/figures.js";
import { Ledger } from "../fleet/figures/ledger.js";
import { lastLine, liveLine } from "../fleet/figures/lines.js";
import { busySince } from "../fleet/figures/machine-cpu.js";
import { Recovery } from "../fleet/figures/recovery.js";
import { boundOf, overOf, type Window, worstWindow } from "../fleet/figures/windows.js";
import { Ends } from "../fleet/parts/site.js";
import { Random } from "../host/harness/host/random.js";

const BUCKET = { max: 10, perSecond: 100 };
/** A number of decisions that were all made at once. */
const burst = (count: number, atMs: number): Decision[] =>
  Array.from({ length: count }, () => ({ sentMs: atMs, answeredMs: atMs }));
const STEADY: SessionDemand = { perSecond: 150, asksMs: 1, restsMs: 0, turnMs: 1000 };
const RESTING: SessionDemand = { ...STEADY, asksMs: 1000, restsMs: 1000 };
const excessOf = ({ admitted, bound }: Window): number => admitted - bound;

/** By trying them all. */
function worstExcess(decisions: readonly Decision[]): number {
  const excesses = decisions.flatMap(({ sentMs: fromMs }) =>
    decisions.map(({ answeredMs: toMs }) => {
      const within = decisions.filter((one) => one.sentMs >= fromMs && one.answeredMs <= toMs).length;
      return within === 0 ? -Infinity : within - boundOf(BUCKET, toMs - fromMs);
    }),
  );
  return Math.max(...excesses);
}

describe("over-admission", () => {
  it("over-admission is found in a window that begins long after the start", () => {
    // From the start the bound is far off: 30 of 110 at 1 s.
    const worst = worstWindow([...burst(5, 0), ...burst(12, 1000), ...burst(13, 1050)], BUCKET);
    expect(worst).toMatchObject({ fromMs: 1000, toMs: 1050, admitted: 25 });
    expect(overOf(worst ?? expect.fail())).toBeCloseTo(25 - 10 - 5.1);
  });

  it("a bucket that is emptied and then spent as it refills is not over its bound", () => {
    const spent = Array.from({ length: 200 }, (_, i) => ({ sentMs: 10 * (i + 1), answeredMs: 10 * (i + 1) }));
    const worst = worstWindow([...burst(10, 0), ...spent], BUCKET);
    expect(overOf(worst ?? expect.fail())).toBe(0);
    const oneMore = worstWindow([...burst(11, 0), ...spent], BUCKET);
    expect(overOf(oneMore ?? expect.fail())).toBeGreaterThan(0.8);
  });

  it("a decision counts only in windows that it was surely made in", () => {
    const late = burst(10, 1000).map((one) => ({ ...one, answeredMs: 2000 }));
    // They may have been decided a second apart.
    expect(overOf(worstWindow([...burst(10, 1000), ...late], BUCKET) ?? expect.fail())).toBe(0);
  });

  it("the worst of all windows is the one that trying them all finds", () => {
    const random = new Random(7);
    for (let round = 0; round < 200; round++) {
      const decisions = Array.from({ length: 1 + random.below(40) }, () => {
        const sentMs = random.below(400);
        return { sentMs, answeredMs: sentMs + random.below(60) };
      });
      const worst = worstWindow(decisions, BUCKET) ?? expect.fail();
      expect(excessOf(worst)).toBeCloseTo(worstExcess(decisions));
    }
  });

  it("no decisions have no window", () => {
    expect(worstWindow([], BUCKET)).toBeUndefined();
  });
});

describe("the figures of a run", () => {
  it("the figures count what the service had, also of requests without an answer, by session", () => {
    const ledger = new Ledger();
    for (let i = 0; i < 12; i++) ledger.served(ledger.sent(0, i % EDGES, 0), 1);
    ledger.answered(0, 200, 2);
    ledger.served(0, 500);
    ledger.answered(1, 0, 3);
    ledger.answered(ledger.sent(1, 0, 0), 429, 2);
    ledger.sent(1, 0, 100);
    const figures = figuresOf(ledger.entries, [STEADY, RESTING], BUCKET);
    expect(figures).toMatchObject({ sent: 14, admitted: 12, possible: 12, answers: { 200: 1, 429: 1, none: 12 } });
    expect(figures.sessions.map(({ admitted }) => admitted)).toEqual([12, 0]);
    expect(figures.sessions[0]?.over).toBeCloseTo(12 - 10 - 0.2);
    expect(figures.over).toBe(figures.sessions[0]?.over);
    expect(figures.bound).toBeCloseTo(10.1 + 20.1);
    expect([figures.use, figures.useAfterRests]).toEqual([1.2, 0]);
  });

  it("what is possible is what one bucket admits of the same requests", () => {
    const at = (...times: number[]) => times.map((sentMs) => ({ sentMs }));
    expect(admittedByOne(at(0, 0, 0, 9, 10), { max: 2, perSecond: 100 })).toBe(3);
    expect(admittedByOne(at(0, 0, 5000, 5000, 5000), { max: 2, perSecond: 100 })).toBe(4);
    expect(admittedByOne([], BUCKET)).toBe(0);
  });

  it("a run without requests has used all that was possible", () => {
    expect(figuresOf([], [STEADY], BUCKET)).toMatchObject({ admitted: 0, bound: 0, possible: 0, over: 0, use: 1 });
  });

  it("counters of a process that was killed go on from what it had counted", () => {
    const counted = new Counted();
    for (const value of [5, 9, 2, 4]) counted.saw("envoy-1", value);
    counted.saw("envoy-2", 100);
    expect(counted.total).toBe(9 + 4 + 100);
  });

  it("the lines say what was admitted, the bound, the use and the calls", () => {
    const figures = figuresOf([], [STEADY], BUCKET);
    const some = {
      ...figures,
      admitted: 1900,
      bound: 2000.6,
      use: 0.9512,
      useAfterRests: 0.8,
      over: 0.2,
      answers: { 200: 1900, none: 3 },
    };
    expect(liveLine(7, some, { lease: 31, all: 44, waits: 2 })).toBe(
      "  7 s:  admitted 1,900   of at most 2,001    use 95.1 %   over 1    31 lease calls/s (44 calls/s)",
    );
    expect(lastLine(8, some, { lease: 95, all: 120, waits: 9 })).toBe(
      "total of 8 s: admitted 1,900 of at most 2,001; over-admission 1 in the worst windows of the sessions; use 95.1 % " +
        "(80.0 % by sessions that rest in between); " +
        "95 lease calls (50.0 per 1,000 admitted) of 120 calls; answers: 200 × 1,900, none × 3",
    );
  });
});

describe("the comparison with a counter", () => {
  const entries = (...tookMs: number[]) =>
    tookMs.map((ms) => ({ session: 0, edge: 0, sentMs: 100, servedMs: 100, answeredMs: 100 + ms, status: 200 }));
  const denied = { session: 0, edge: 0, sentMs: 100, answeredMs: 9100, status: 429 };

  it("the times of answers are of requests that were admitted", () => {
    expect(timesOf([...entries(1, 2, 3), denied])).toEqual({ p50: 2, p99: 2.98 });
  });

  it("each lane is compared with the one that has no limiter", () => {
    const lane = (what: string, all: ReturnType<typeof entries>, calls: number) => {
      const figures = figuresOf(all, [STEADY], BUCKET);
      return { ...{ what, figure: what, entries: all, figures, calls, waits: calls / 2 }, limited: calls > 0 };
    };
    const section = comparedSection(lane("bare", entries(1, 1, 1), 0), [lane("counter", entries(3, 3, 3), 6)]);
    expect(section.figures).toMatchObject({
      ...{
        "bare.addedP50Ms": 0,
        "counter.callsPerThousand": 2000,
        "counter.waitedShare": 1,
        "counter.addedP50Ms": 2,
        "counter.addedP99Ms": 2,
      },
      ...{ "counter.requests": 3, "counter.admitted": 3, "counter.over": 0, "counter.use": 1 },
    });
    expect(section.rows).toEqual([
      ["bare", "0.0", "0.0 %", "1.00", "0.00", "1.00", "0.00", "3", "", "", ""],
      ["counter", "2000.0", "100.0 %", "3.00", "2.00", "3.00", "2.00", "3", "10", "0.0", "100.0 %"],
    ]);
  });
});

describe("the end of a run", () => {
  const admitted = (session: number, sentMs: number) => ({ session, edge: 0, sentMs, servedMs: sentMs + 1 });

  it("a run with a fault ends 2 s after all sessions were admitted again", () => {
    const recovery = new Recovery(2);
    const before = [admitted(0, 0), admitted(1, 10)];
    expect(recovery.mayEnd(before, 5000)).toBe(false);
    recovery.faultOver(6000);
    const denied = { session: 1, edge: 0, sentMs: 6200 };
    expect(recovery.mayEnd([...before, admitted(0, 6100), denied], 6300)).toBe(false);
    expect(recovery.isBack).toBe(false);
    const after = [...before, admitted(0, 6100), denied, admitted(1, 7000)];
    expect(recovery.mayEnd(after, 7010)).toBe(false);
    expect(recovery.isBack).toBe(true);
    expect(recovery.mayEnd(after, 9009)).toBe(false);
    expect(recovery.mayEnd(after, 9010)).toBe(true);
  });

  it("a run whose sessions are not admitted again ends 30 s after its fault, and says so", () => {
    const recovery = new Recovery(1);
    recovery.faultOver(1000);
    expect(recovery.mayEnd([admitted(0, 999)], 30_999)).toBe(false);
    expect(recovery.mayEnd([admitted(0, 999)], 31_000)).toBe(true);
    expect(recovery.isBack).toBe(false);
  });

  it("how busy the cores were is counted from a moment on", () => {
    expect(busySince({ busy: 100, idle: 100 }, { busy: 130, idle: 110 })).toBe(0.75);
    expect(busySince({ busy: 100, idle: 100 }, { busy: 100, idle: 100 })).toBe(0);
  });

  it("what was started is ended in the opposite order, once, whatever one of them says", async () => {
    const ends = new Ends();
    const ended: string[] = [];
    await ends.add(() => ended.push("store"));
    await ends.add(() => Promise.reject(new Error("it was killed")));
    await ends.add(() => ended.push("Envoy"));
    await Promise.all([ends.all(), ends.all()]);
    await ends.all();
    expect(ended).toEqual(["Envoy", "store"]);
  });

  it("what starts while everything is being ended is ended at once", async () => {
    const ends = new Ends();
    await ends.all();
    const ended: string[] = [];
    await expect(ends.add(() => ended.push("late"))).rejects.toThrow("everything is being ended");
    expect(ended).toEqual(["late"]);
  });
});

describe("the demand of a run", () => {
  const seconds = Array.from({ length: 600 }, (_, i) => i * 100);

  it("all sessions together ask for at most 1,000 a second", () => {
    for (const atMs of seconds) {
      const wanted = SESSIONS.reduce((sum, one) => sum + wantedPerSecond(one, atMs), 0);
      expect(wanted).toBeLessThanOrEqual(1000);
    }
  });

  it("the parts of each session add up, and each Envoy has most of it at some time", () => {
    for (const [nth, session] of SESSIONS.entries()) {
      const parts = seconds.map((atMs) => partsAt(session, nth, atMs));
      for (const one of parts) expect(one.reduce((sum, part) => sum + part, 0)).toBeCloseTo(1);
      const largest = parts.map((one) => one.findIndex((part) => part > 0.6));
      expect(new Set(largest)).toEqual(new Set([-1, 0, 1, 2]));
    }
  });

  it("sessions begin at different Envoys", () => {
    const [session] = SESSIONS;
    const parts = [0, 1, 2].map((nth) => partsAt(session ?? expect.fail(), nth, 0));
    expect(new Set(parts).size).toBe(3);
  });

  it("what is due is what is wanted, spread over Envoys by their parts", () => {
    const session = { perSecond: 50, asksMs: 1000, restsMs: 1000, turnMs: 10_000 };
    const demand = new Demand([session]);
    const due = Array.from({ length: 200 }, (_, i) => demand.dueBy(10 * (i + 1))).flat();
    // Of 2 s it asks in one.
    expect(due.length).toBeGreaterThanOrEqual(49);
    expect(due.length).toBeLessThanOrEqual(50);
    expect(new Set(due.map(({ edge }) => edge))).toEqual(new Set([0]));
    const later = new Demand([{ ...session, restsMs: 0, turnMs: 10 }]);
    const shifting = Array.from({ length: 200 }, (_, i) => later.dueBy(10 * (i + 1))).flat();
    expect(new Set(shifting.map(({ edge }) => edge))).toEqual(new Set([0, 1, 2]));
  });

  it("a pause of the load makes up for a tenth of a second, no more", () => {
    const demand = new Demand([{ perSecond: 100, asksMs: 1, restsMs: 0, turnMs: 1000 }]);
    demand.dueBy(10);
    expect(demand.dueBy(5010)).toHaveLength(10);
  });
});

describe("the command line of a run", () => {
  it("the command line has defaults, and takes each option", () => {
    const defaults = { seconds: 20, json: null, store: "redis", fault: null, scope: "fleet", compare: false };
    expect(fleetArguments([])).toEqual(defaults);
    const all = ["--seconds", "8", "--json", "f.json", "--store", "valkey", "--fault", "store-kill"];
    const taken = { seconds: 8, json: "f.json", store: "valkey", fault: "store-kill", scope: "fleet", compare: false };
    expect(fleetArguments([...all, "--scope", "edge"])).toEqual({ ...taken, scope: "edge" });
    expect(fleetArguments([...all, "--compare"])).toEqual({ ...taken, compare: true });
  });

  it.each([
    ["--seconds", "0"],
    ["--seconds", "9.5"],
    ["--seconds", "601"],
    ["--fault", "flood"],
    ["--store", "toString"],
    ["--scope", "planet"],
    ["--loud", ""],
    ["--compare", "--scope=edge"],
  ])("the command line %s %s is answered with the usage", (option, value) => {
    expect(() => fleetArguments([option, value])).toThrow(/npm run fleet -- \[--seconds/);
  });
});
