// Edges with more instances and workers than any installation has: what is shown of them, and what that costs.
import { expect, it } from "vitest";

import { edgesNow, edgesPage } from "../../../src/app/edges/status/edge-pages.js";
import { EdgeRegistry } from "../../../src/app/edges/status/edge-registry.js";
import { EdgeSurveys } from "../../../src/app/edges/status/edge-survey.js";
import { MemoryLog } from "../../../src/store/memory/invalidation-log.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { PoliciesInForce } from "../../support/policies-in-force.js";
import { POLICY } from "../../support/watching.js";

const WORKERS = 128;

/** Counts the instances and workers that are looked at, and the most of a turn. */
class CountedRegistry extends EdgeRegistry {
  looked = 0;
  most = 0;
  private inTurn = 0;
  override knownOf(...args: Parameters<EdgeRegistry["knownOf"]>) {
    const known = super.knownOf(...args);
    const rows = known.reduce((sum, { workers }) => sum + 1 + workers.size, 0);
    this.looked += rows;
    this.inTurn += rows;
    this.most = Math.max(this.most, this.inTurn);
    return known;
  }
  nextTurn = (): Promise<void> => {
    this.inTurn = 0;
    return Promise.resolve();
  };
}

/** Edges with so many instances of so many workers each; every worker says that it runs another generation. */
function edgesWith(count: number, instances: number, workers: number) {
  const clock = new FixedClock();
  const policies = new PoliciesInForce(clock, POLICY);
  const registry = new CountedRegistry({ clock, policies });
  for (let edge = 0; edge < count; edge++) {
    for (let i = 0; i < instances; i++) {
      const of = { edge: `gw-${String(edge).padStart(4, "0")}`, instance: i.toString(16).padStart(16, "0") };
      for (let w = 0; w < workers; w++) {
        const policy = { source: "control-plane", generation: w + 1, hash: undefined };
        const arrivedAtMs = clock.monotonicMs();
        registry.reported(of, { worker: `worker-${w}`, more: false, arrivedAtMs, build: undefined, policy });
      }
    }
  }
  const nextTurn = registry.nextTurn;
  return { registry, clock, parts: { instances: registry, log: new MemoryLog(), policies, clock, nextTurn } };
}

it("an edge shows 64 instances, 512 workers and 32 generations, and how many were left out", async () => {
  const { parts } = edgesWith(1, 100, WORKERS);
  const [edge] = (await edgesPage(parts, "", 10)).edges;
  expect([edge?.instances.length, edge?.instancesLeftOut]).toEqual([64, 36]);
  const shown = edge?.instances.map(({ workers, workersLeftOut }) => [workers.length, workersLeftOut]) ?? [];
  expect(shown.slice(-5)).toEqual([[0, WORKERS], ...Array<number[]>(4).fill([WORKERS, 0])]);
  expect(shown.reduce((sum, [workers = 0, leftOut = 0]) => sum + workers + leftOut, 0)).toBe(64 * WORKERS);
  expect([Object.keys(edge?.running ?? {}).length, edge?.running[1]]).toEqual([32, 100]);
  const latest = edge?.instances.at(-1);
  expect([latest?.instance, latest?.workers.at(-1)?.worker]).toEqual(["0000000000000063", "worker-127"]);
});

it("an Envoy in a hot restart shows both instances with all workers, reloaded ones too", async () => {
  const { parts } = edgesWith(1, 2, WORKERS);
  const [edge] = (await edgesPage(parts, "", 10)).edges;
  expect(edge?.instances.map(({ workers }) => workers.length)).toEqual([WORKERS, WORKERS]);
});

it("a page of edges with very many workers ends early, and the next ones show the others", async () => {
  const { parts, registry } = edgesWith(200, 4, WORKERS);
  const sizes: number[] = [];
  const names = new Set<string>();
  for (let after: string | null = ""; after !== null;) {
    const page = await edgesPage(parts, after, 1000);
    sizes.push(page.edges.length);
    for (const { edge } of page.edges) names.add(edge);
    after = page.next;
    await registry.nextTurn();
  }
  // 4 instances and 512 workers each.
  expect([sizes, names.size]).toEqual([[128, 72], 200]);
  expect(registry.most).toBeLessThan(10_000 + 516);
});

it("a thousand edges with 64 workers each are one page", async () => {
  const { edges, next } = await edgesPage(edgesWith(999, 1, 64).parts, "", 1000);
  expect([edges.length, edges.every(({ instances }) => instances[0]?.workers.length === 64), next]).toEqual([
    999,
    true,
    null,
  ]);
});

it("a scrape looks at some thousand workers a turn, and at very many at most each 5 s", async () => {
  const { parts, registry, clock } = edgesWith(200, 4, WORKERS);
  const surveys = new EdgeSurveys(parts);
  const rows = 200 * 4 * (1 + WORKERS);
  for (let i = 0; i < 5; i++) expect((await surveys.now()).labelled).toHaveLength(200);
  expect(registry.looked).toBe(rows);
  expect(registry.most).toBeLessThan(10_000 + 516);
  clock.advance(5_000);
  await surveys.now();
  expect(registry.looked).toBe(2 * rows);
});

it("the conditions of all edges are read some a turn, too", async () => {
  const { parts, registry } = edgesWith(200, 4, WORKERS);
  expect(await edgesNow(parts)).toHaveLength(200);
  expect(registry.most).toBeLessThan(10_000 + 516);
});
