// The end of a run of leases: faults stop, all leases lapse. Then the budget is there again: sessions that keep asking are
// let in as fast as it fills, and a request that is dearer than a lease passes.
import { LEASE_GRACE_MS, LEASE_SHARE_MS, LEASE_TTL_MS } from "../../../../assembly/contract.js";
import { fail } from "../../invariants/violation.js";
import type { LeaseSchedule } from "../lease-schedule.js";
import { CalmRun } from "../parts/calm-run.js";
import { PATHS } from "../parts/lease-policies.js";
import type { LeaseWorld } from "../parts/lease-world.js";

const STEP_US = 10_000;
/** Of times in which little or nothing is asked. */
const STRIDE_US = 50_000;
/** All leases lapse, a budget of another life of the store thaws, and what edges hold back is asked for again. */
const LAPSE_US = 2 * (LEASE_TTL_MS + LEASE_GRACE_MS) * 1000;
const MEASURED_US = 2_000_000;
/** Below that a bucket is empty before the answer to an ask is there. */
const LEAST_SECONDS = 0.3;
/** A client that is refused tries again. */
const TRIES = 3;

export class LeaseEnd {
  readonly #calm: CalmRun;

  constructor(
    private readonly world: LeaseWorld,
    private readonly schedule: LeaseSchedule,
  ) {
    this.#calm = new CalmRun(world, schedule);
  }

  /** Throws a Violation. */
  async close(): Promise<void> {
    const { world } = this;
    this.#calmDown();
    await this.#run(LAPSE_US, STRIDE_US, true);
    world.ledger.expectWithin();
    world.isMixed = false;
    const sinceUs = world.nowUs;
    const owed = new Map(world.sessions.map(({ id }) => [id, world.owed(id, "")]));
    await this.#run(MEASURED_US, STEP_US, true);
    this.#expectUse(sinceUs, owed);
    world.ledger.expectWithin();
    await this.#expectDear();
    world.ledger.expectWithin();
  }

  #calmDown(): void {
    const { world } = this;
    for (const edge of world.edges) for (const worker of [0, 1]) edge.finish(worker);
    world.isCalm = true;
    this.schedule.settleAll();
    if (world.isMixed) world.ledger.beginAnew();
    this.schedule.faults.end();
    this.#calm.begin();
  }

  /** @param isUsed each edge has a request of a session a step */
  #run(us: number, stepUs: number, isUsed: boolean): Promise<void> {
    return this.#calm.run(us, stepUs, (at, step) => {
      if (isUsed) this.#request(at, step);
    });
  }

  #request(at: number, step: number): void {
    const { world } = this;
    const session = world.sessions[Math.floor(step / 2) % world.sessions.length];
    if (session !== undefined) world.edges[at]?.request(step % 2, session, "/");
  }

  /** At least what came in and was not owed, less what edges may have held back: one lease each. */
  #expectUse(sinceUs: number, owed: ReadonlyMap<string, number>): void {
    const { world } = this;
    const { maxTokens, tokenRefillRate } = world.edgePolicy.own;
    if (maxTokens < tokenRefillRate * LEAST_SECONDS) return;
    const seconds = (world.nowUs - sinceUs) / 1e6;
    const demand = (world.edges.length * MEASURED_US) / STEP_US / world.sessions.length;
    const lease = Math.min(maxTokens / 2, Math.max(maxTokens / 4, (tokenRefillRate * LEASE_SHARE_MS) / 1000));
    const least = Math.min(tokenRefillRate * seconds, demand) - world.edges.length * lease;
    for (const { id } of world.sessions) {
      if (world.ledger.wasRevoked(id)) continue;
      const admitted = world.ledger.admittedSince(id, sinceUs);
      const due = least - (owed.get(id) ?? 0);
      if (admitted < due) fail("lease", `${id}: ${admitted} of at least ${due.toFixed(1)} admitted in the end`);
    }
  }

  async #expectDear(): Promise<void> {
    const { world } = this;
    const { maxTokens, tokenRefillRate } = world.edgePolicy.own;
    const { own } = PATHS["/dear"];
    if (tokenRefillRate < 5 || maxTokens < own) return;
    const owed = Math.max(...world.sessions.map(({ id }) => world.owed(id, "")));
    await this.#run(LAPSE_US / 2 + 1_000_000 + ((maxTokens + owed + 1) / tokenRefillRate) * 1e6, STRIDE_US, false);
    for (const session of world.sessions) {
      if (world.ledger.wasRevoked(session.id)) continue;
      const sinceUs = world.nowUs;
      for (let tries = 0; tries < TRIES && world.ledger.admittedSince(session.id, sinceUs) === 0; tries++) {
        world.edges[0]?.request(0, session, "/dear");
        world.edges[0]?.finish(0);
        await this.#run(500_000, STRIDE_US, false);
      }
      if (world.ledger.admittedSince(session.id, sinceUs) < own)
        fail("lease", `${session.id}: a request that costs ${own} was not let in by a full budget`);
    }
  }
}
