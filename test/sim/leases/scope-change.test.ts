// What a plan admits across a change of its scope, over three Envoys, without faults. From edge to fleet: what Envoys have reported
// until then is taken off the one budget, so over any time that begins with full buckets all of them let in at most
//
//   max(spent before, maxTokens + 3 × tokenRefillRate × t before + tokenRefillRate × t after) + what was not reported,
//
// where what was spent before and reported counts up to 2 × maxTokens: a budget owes at most what it holds. From fleet to edge each
// begins with what the budget has left, and with what is left of its own lease at most.
import { describe, expect, it } from "vitest";
import { leaseProfileOf } from "./faults/lease-profile.js";
import { LeaseSchedule } from "./lease-schedule.js";
import { CalmRun } from "./parts/calm-run.js";
import type { Variant } from "./parts/lease-policies.js";
import type { LeaseWorld } from "./parts/lease-world.js";
import { LeaseSimulation } from "./simulate-leases.js";

const ENVOYS = 3;
const MAX_TOKENS = 60;
const STEP_US = 10_000;
/** Two intervals of reports, and more: what is left of leases has gone back too. */
const REST_US = 4_000_000;
/** Of odd ones the plan refills. */
const SEEDS = [1, 2] as const;

const simulation = new LeaseSimulation();
const planOf = (scope: "edge" | "fleet", tokenRefillRate: number): Variant => ({
  ...{ scope, own: { maxTokens: MAX_TOKENS, tokenRefillRate } },
  search: undefined,
});

class ScopeRun {
  readonly world: LeaseWorld;
  readonly #calm: CalmRun;

  constructor(seed: number, first: Variant) {
    const quiet = { first, others: [], change: 0, settles: 0, skewMs: 0 };
    this.world = simulation.world(seed, { ...leaseProfileOf(seed), ...quiet });
    this.world.isMixed = this.world.wasMixed = true;
    this.#calm = new CalmRun(this.world, new LeaseSchedule(this.world));
    this.#calm.begin();
  }

  /** Tokens that were let in until now. */
  get admitted(): number {
    return this.world.ledger.admittedSince(this.#session.id, 0);
  }

  /** Each Envoy has so many requests, one in 10 ms. Returns how long that was, seconds. */
  async spend(requests: readonly number[]): Promise<number> {
    const left = [...requests];
    const us = (Math.max(...requests) + 5) * STEP_US;
    await this.#calm.run(us, STEP_US, (edge, step) => {
      if ((left[edge] ?? 0) === 0) return;
      left[edge] = (left[edge] ?? 0) - 1;
      this.world.edges[edge]?.request(step % 2, this.#session, "/");
    });
    return us / 1e6;
  }

  async rest(): Promise<number> {
    await this.#calm.run(REST_US, 5 * STEP_US, () => undefined);
    return REST_US / 1e6;
  }

  /** All hear of it at once. */
  change(next: Variant): void {
    const { world } = this;
    world.edgePolicy = next;
    for (const machine of world.machines) machine.policy = next;
    for (const edge of world.edges) for (const worker of [0, 1]) edge.configure(worker);
  }

  get #session() {
    const [session] = this.world.sessions;
    if (session === undefined) throw new RangeError("there is no session");
    return session;
  }
}

const all = (requests: number): number[] => Array.from({ length: ENVOYS }, () => requests);
const some = (run: ScopeRun, most: number): number[] => all(0).map(() => run.world.random.below(most));

describe("a plan that changes its scope while it is in use", () => {
  it.each(SEEDS)("what Envoys have reported is taken off the one budget (seed %i)", async (seed) => {
    const rate = seed % 2 === 0 ? 0 : 4;
    const run = new ScopeRun(seed, planOf("edge", rate));
    const beforeS = (await run.spend(some(run, 40))) + (await run.rest());
    const before = run.admitted;
    run.change(planOf("fleet", rate));
    const afterS = await run.spend(all(200));
    const most = Math.max(before, MAX_TOKENS + ENVOYS * rate * beforeS + rate * afterS);
    expect(run.admitted).toBeLessThanOrEqual(most);
    if (rate === 0) expect(run.admitted).toBe(most);
  });

  it.each([4])("what no Envoy has reported yet may be let in once more (seed %i)", async (seed) => {
    const run = new ScopeRun(seed, planOf("edge", 0));
    await run.spend(some(run, 30));
    const before = run.admitted;
    run.change(planOf("fleet", 0));
    await run.spend(all(200));
    expect(run.admitted).toBeLessThanOrEqual(MAX_TOKENS + before);
  });

  it.each(SEEDS)("each Envoy goes on with what the one budget has left (seed %i)", async (seed) => {
    const rate = seed % 2 === 0 ? 0 : 4;
    const run = new ScopeRun(seed, planOf("fleet", rate));
    const beforeS = (await run.spend(some(run, 20))) + (await run.rest());
    const before = run.admitted;
    run.change(planOf("edge", rate));
    const afterS = await run.spend(all(100));
    const left = Math.min(MAX_TOKENS, MAX_TOKENS - before + rate * beforeS);
    expect(run.admitted).toBeLessThanOrEqual(before + ENVOYS * (left + rate * afterS));
    if (rate === 0) expect(run.admitted).toBe(before + ENVOYS * left);
  });
});
