// The command line and the API on a session whose plan is one budget over all edges.
import { describe, expect, it } from "vitest";

import { MAX_EDGE_NAME_BYTES, MAX_LEASES_OF_SESSION } from "../../../assembly/contract.js";
import type { FleetBudget, Lease } from "../../src/domain/leases/fleet-budget.js";
import { jsonLines, sluice } from "../support/cli.js";
import { created, INSTANCE, startTestControlPlane } from "../support/control-plane.js";
import { SPENT } from "../support/fleet-budgets.js";
import { daily, FLEET } from "../support/sessions.js";

const TOKEN = 1_000_000;

async function leased() {
  const plane = await startTestControlPlane();
  plane.setPlans({ ...FLEET, limits: [daily] });
  const { session } = await created(plane);
  const cost = { "": 12 * TOKEN, daily: 30 * TOKEN };
  await plane.lease([{ session: session.id, ask: 1, applied: 0, cost, want: cost }]);
  plane.clock.advance(500);
  return { plane, id: session.id };
}

const BUDGET = {
  plan: "fleet",
  buckets: [
    { name: "", capacity: 100, level: 88, outstanding: 12, refillRate: 10 },
    { name: "daily", capacity: 10_000, level: 9970, outstanding: 30, refillRate: 10_000 / 86_400 },
  ],
  leases: [{ edge: "gw-1", instance: INSTANCE, outstanding: { "": 12, daily: 30 }, endsInMs: 2500 }],
};

describe("a session of a plan of fleet scope", () => {
  it("the API says what is left of the budget, and which edges may spend how much", async () => {
    const { plane, id } = await leased();
    expect((await plane.call("GET", `/v1/sessions/${id}`)).body).toMatchObject({ session: { id }, fleet: BUDGET });
    expect((await plane.call("GET", `/v1/sessions/${id}/usage`)).body).toMatchObject({ consumed: 0, fleet: BUDGET });
    expect((await plane.call("GET", `/v1/sessions/${id}/bucket`)).body).toEqual({ buckets: [], fleet: BUDGET });
    plane.clock.advance(3500);
    const later = (await plane.call("GET", `/v1/sessions/${id}`)).body;
    expect(later).toMatchObject({ fleet: { buckets: [{ level: 98, outstanding: 0 }, {}], leases: [] } });
  });

  it("session show, bucket and usage show the budget, and below it the leases", async () => {
    const { plane, id } = await leased();
    for (const command of ["session show", "bucket", "usage"]) {
      const { out, code } = await sluice(`${command} ${id}`, plane);
      expect([command, code]).toEqual([command, 0]);
      expect(out).toMatch(/^LIMIT +TOKENS +LEASED +CAPACITY +REFILL\/S$/m);
      expect(out).toMatch(/^fleet +88\.0 +12\.0 +100 +10$/m);
      expect(out).toMatch(/^daily +9970\.0 +30\.0 +10000 +0\.1157$/m);
      expect(out).toMatch(new RegExp(`^gw-1 +${INSTANCE} +fleet +12\\.0 +2\\.5 s$`, "m"));
      expect(out).toMatch(new RegExp(`^gw-1 +${INSTANCE} +daily +30\\.0 +2\\.5 s$`, "m"));
    }
    const [shown] = jsonLines(await sluice(`session show ${id} --json`, plane));
    expect(shown).toMatchObject({ session: { id }, buckets: [], fleet: BUDGET });
    expect(jsonLines(await sluice(`bucket ${id} --json`, plane))).toEqual([{ fleet: BUDGET }]);
    expect(jsonLines(await sluice(`usage ${id} --json`, plane))).toEqual([
      { consumed: 0, direct: 0, edges: [], fleet: BUDGET },
    ]);
    plane.clock.advance(5000);
    expect((await sluice(`bucket ${id}`, plane)).out).toContain("No edge has a lease");
  });
});

const [SECOND_MS, COMMANDS] = [1000, ["session show", "bucket", "usage"]];
const tokens = (count: number) => ({ "": count * TOKEN });
const at = (edge: string, held: number, untilMs: number): Lease => ({
  ...{ edge, instance: INSTANCE, ask: 1, unnumbered: false, granted: {}, debtTaken: {}, want: tokens(held) },
  ...{ outstanding: tokens(held), pacedUntilMs: 0, untilMs },
});

/** A session of a budget of 1000 tokens and none a second, with what is stored of it, half a second after it was written. */
async function stored(leases: readonly Lease[], of: Partial<FleetBudget> = {}) {
  const plane = await startTestControlPlane();
  plane.setPlans({ ...FLEET, maxTokens: 1000, tokenRefillRate: 0 });
  const { id } = (await created(plane)).session;
  plane.clock.advance(SECOND_MS);
  const { log } = await plane.store.position();
  const levels = { "": { micro: 300 * TOKEN, remainder: 0 } };
  const budget = { ...SPENT, log, planId: FLEET.id, atMs: SECOND_MS, levels, leases, ...of };
  await plane.store.update("leases", [id], () => ({ answer: 0, changes: { budgets: [{ sessionId: id, budget }] } }));
  plane.clock.advance(SECOND_MS / 2);
  return { plane, id };
}

describe("a fleet budget that is leased in unusual ways", () => {
  it("an edge's long name is cut in a terminal, and whole for programs", async () => {
    const name = "gateway-".padEnd(MAX_EDGE_NAME_BYTES, "x");
    const { plane, id } = await stored([at(name, 2, 3 * SECOND_MS)]);
    for (const command of COMMANDS) {
      const { out } = await sluice(`${command} ${id}`, { url: plane.url, terminal: { columns: 60, rows: 24 } });
      // As wide as the terminal, and no wider.
      const line = /^gateway-x+… .* s$/m.exec(out)?.[0] ?? "";
      expect(line).toMatch(new RegExp(` +${INSTANCE} +fleet +2\\.0 +1\\.5 s$`));
      expect(line).toHaveLength(60);
      expect((await sluice(`${command} ${id}`, plane)).out).toContain(`\n${name}  ${INSTANCE}  fleet `);
      const [shown] = jsonLines(await sluice(`${command} ${id} --json`, plane));
      expect(shown).toMatchObject({ fleet: { leases: [{ edge: name, outstanding: { "": 2 }, endsInMs: 1500 }] } });
    }
  });

  it("all leases that a session can have are shown, each until it ends", async () => {
    const names = Array.from({ length: MAX_LEASES_OF_SESSION }, (_, i) => `gw-${String(i)}`);
    const { plane, id } = await stored(names.map((name, i) => at(name, 2, 2 * SECOND_MS + i)));
    for (const command of COMMANDS) {
      const { out } = await sluice(`${command} ${id}`, plane);
      expect(out).toMatch(new RegExp(`^fleet +300\\.0 +${String(2 * names.length)}\\.0 +1000 +0$`, "m"));
      expect(out.match(new RegExp(`^gw-\\d+ +${INSTANCE} +fleet +2\\.0 +0\\.[5-8] s$`, "gm"))).toHaveLength(
        names.length,
      );
    }
    const [shown] = jsonLines(await sluice(`bucket ${id} --json`, plane));
    const leases = names.map((edge, i) => ({ edge, instance: INSTANCE, outstanding: { "": 2 }, endsInMs: 500 + i }));
    expect(shown).toMatchObject({ fleet: { buckets: [{ level: 300, outstanding: 2 * names.length }], leases } });
  });

  it("a lease that has ended is not shown, and what it held counts as spent", async () => {
    const { plane, id } = await stored([at("gw-1", 7, 1.5 * SECOND_MS), at("gw-2", 5, 1.5 * SECOND_MS + 1)]);
    for (const command of COMMANDS) {
      const { out } = await sluice(`${command} ${id}`, plane);
      expect(out).toMatch(/^fleet +300\.0 +5\.0 +1000 +0$/m);
      expect(out).not.toContain("gw-1");
      const [shown] = jsonLines(await sluice(`${command} ${id} --json`, plane));
      expect(shown).toMatchObject({ fleet: { buckets: [{ level: 300, outstanding: 5 }], leases: [{ edge: "gw-2" }] } });
    }
  });

  it("nothing is left of a former life of the store, and what is out ends 3 s after it", async () => {
    const { plane, id } = await stored([at("gw-1", 7, 60 * SECOND_MS)], { log: "0123456789abcdef" });
    for (const command of COMMANDS) {
      const { out } = await sluice(`${command} ${id}`, plane);
      expect(out).toMatch(/^fleet +0\.0 +7\.0 +1000 +0$/m);
      expect(out).toMatch(new RegExp(`^gw-1 +${INSTANCE} +fleet +7\\.0 +3\\.0 s$`, "m"));
      const [shown] = jsonLines(await sluice(`${command} ${id} --json`, plane));
      const lease = { edge: "gw-1", outstanding: { "": 7 }, endsInMs: 3000 };
      expect(shown).toMatchObject({ fleet: { buckets: [{ level: 0, outstanding: 7 }], leases: [lease] } });
    }
  });
});
