// Two control planes as processes over one Redis: both lease of one budget, whichever an edge asks.
import { expect, it } from "vitest";

import { initStore, issued, Plane } from "../support/planes-over-server.js";
import { useServer } from "../support/servers/use-server.js";

const server = useServer("Redis 7", { appendonly: true, appendfsync: "always" });

/** It refills by less than a token while the test runs. */
const POLICY =
  "version: 1\nplans:\n  - { id: 0, name: starter, maxTokens: 1000, refill: 1/1h, scope: fleet, onUnreachable: deny }\n";
const TOKEN = 1_000_000;
const EDGES = 6;
const COST = 25 * TOKEN;

interface Answer {
  readonly leases: readonly { readonly granted: Readonly<Record<string, number>> }[];
}

it("edges that lease at two control planes at once get one budget, and no more", async () => {
  await initStore(server().port);
  const [a, b] = await Promise.all([Plane.start(server().url, {}, POLICY), Plane.start(server().url, {}, POLICY)]);
  const id = await issued(a);
  let granted = 0;
  const edge = async (nth: number): Promise<void> => {
    const instance = nth.toString(16).repeat(16);
    for (let ask = 1, left = 0; ask <= 12; ask++) {
      const plane = (nth + ask) % 2 === 0 ? a : b;
      const asked = { session: id, ask, applied: ask - 1, left: { "": left }, cost: { "": left + COST } };
      const body = { edge: `gw-${nth}`, instance, asks: [{ ...asked, want: { "": 1000 * TOKEN } }] };
      const answer = await plane.edge("lease", body);
      expect(answer.status, JSON.stringify(answer.body)).toBe(200);
      const got = (answer.body as Answer).leases[0]?.granted[""] ?? 0;
      left += got;
      granted += got;
    }
  };
  await Promise.all(Array.from({ length: EDGES }, (_, nth) => edge(nth + 1)));
  expect(granted).toBeLessThanOrEqual(1000 * TOKEN);
  // What each of the others waits for may be kept for it.
  expect(granted).toBeGreaterThan(1000 * TOKEN - (EDGES + 1) * COST);
  const counted = await Promise.all([a, b].map((plane) => plane.metric("sluice_control_lease_asks_total")));
  expect(counted.every((asks) => asks > 0)).toBe(true);
  for (const plane of [a, b]) {
    const { body } = await plane.operator("GET", `/v1/sessions/${id}`);
    const [bucket] = (body as { fleet: { buckets: { level: number; outstanding: number }[] } }).fleet.buckets;
    expect((bucket?.level ?? 0) + (bucket?.outstanding ?? 0)).toBeLessThanOrEqual(1000);
  }
});
