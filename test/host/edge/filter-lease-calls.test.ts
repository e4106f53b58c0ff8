// What a load costs in lease calls, and what of one budget it gets: the built filter on three edges and the real decisions, in a
// time of their own (harness/leases/lease-fleet.ts).
import { describe, expect, it } from "vitest";
import { Demand, SESSIONS, type SessionDemand } from "../../fleet/figures/demand.js";
import { admittedByOne } from "../../fleet/figures/figures.js";
import { overOf, worstWindow } from "../../fleet/figures/windows.js";
import { LeaseFleet, type Sent, STEP_MS } from "../harness/leases/lease-fleet.js";

const BUCKET = { max: 100, perSecond: 100 };
const SECONDS = 20;
const EDGES = 3;

interface Figures {
  readonly admitted: number;
  /** Of what one bucket for all edges would have admitted. */
  readonly use: number;
  /** Tokens in the worst window beyond the bucket. */
  readonly over: number;
  /** Of the admitted requests, those that waited for a call. */
  readonly waited: number;
}

function run(demands: readonly SessionDemand[], edges = EDGES): { fleet: LeaseFleet; sessions: Figures[] } {
  const fleet = new LeaseFleet({ edges, sessions: demands.length, maxTokens: 100, rate: 100, wayMs: 4 });
  const demand = new Demand(demands);
  for (let ms = 0; ms < SECONDS * 1000; ms += STEP_MS) {
    fleet.step(demand.dueBy(ms).map(({ session, edge }) => ({ session, edge: edge % edges })));
  }
  const sessions = demands.map((_, nth) => figuresOf(fleet.sent.filter(({ session }) => session === nth)));
  return { fleet, sessions };
}

function figuresOf(sent: readonly Sent[]): Figures {
  const admitted = sent.flatMap(({ sentMs, answeredMs, status }) =>
    status === 200 && answeredMs !== undefined ? [{ sentMs, answeredMs }] : [],
  );
  const worst = worstWindow(admitted, BUCKET);
  return {
    admitted: admitted.length,
    use: admitted.length / admittedByOne(sent, BUCKET),
    over: worst === undefined ? 0 : overOf(worst),
    waited: admitted.filter(({ sentMs, answeredMs }) => answeredMs > sentMs).length / admitted.length,
  };
}

const admittedBy = (sessions: readonly Figures[]): number => sessions.reduce((sum, { admitted }) => sum + admitted, 0);
const steady = (perSecond: number): SessionDemand => ({ perSecond, asksMs: 1, restsMs: 0, turnMs: 1700 });

describe("one budget over three Envoys", () => {
  it("sessions that want more than their budget get it with 60 lease calls a 1,000 requests", () => {
    const { fleet, sessions } = run(SESSIONS);
    expect((1000 * fleet.calls) / admittedBy(sessions)).toBeLessThan(60);
    expect(sessions.map(({ over }) => over)).toEqual(SESSIONS.map(() => 0));
    const uses = sessions.map(({ use }) => use);
    const rests = uses.pop();
    expect(uses.reduce((sum, use) => sum + use, 0) / uses.length).toBeGreaterThan(0.95);
    expect(rests, "of the one that rests in between").toBeGreaterThan(0.75);
    for (const { waited } of sessions) expect(waited).toBeLessThan(0.1);
  });

  it("sessions that want less than their budget get nearly all of it, wherever they ask", () => {
    const { sessions } = run([20, 50, 60, 80].map(steady));
    for (const { use, over } of sessions) expect([over, use > 0.97]).toEqual([0, true]);
  });

  it("a session alone on one Envoy has 95 % of its budget from the first second on", () => {
    const { fleet, sessions } = run([steady(150)], 1);
    expect(sessions[0]?.use).toBeGreaterThan(0.95);
    expect((1000 * fleet.calls) / admittedBy(sessions)).toBeLessThan(25);
    expect(sessions[0]?.waited).toBeLessThan(0.01);
  });

  it("a session of one request a second seldom waits for its lease", () => {
    const { sessions } = run([1, 1.5, 2].map(steady), 1);
    for (const { use, waited } of sessions) expect([use, waited < 0.4]).toEqual([1, true]);
  });
});
