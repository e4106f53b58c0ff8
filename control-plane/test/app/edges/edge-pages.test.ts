// Many edges: their list by the page, and what a scrape costs.
import { expect, it } from "vitest";

import { EdgeRegistry } from "../../../src/app/edges/status/edge-registry.js";
import { EdgeSurveys } from "../../../src/app/edges/status/edge-survey.js";
import { MemoryLog } from "../../../src/store/memory/invalidation-log.js";
import { expectError, startTestControlPlane } from "../../support/control-plane.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { PoliciesInForce } from "../../support/policies-in-force.js";
import { REPORTING, STARTER } from "../../support/sessions.js";

const INSTANCE = "0".repeat(16);
const nameOf = (i: number): string => `gw-${String(i).padStart(5, "0")}`;

interface Page {
  readonly edges: readonly { readonly edge: string }[];
  readonly cursor: string | null;
}

/** A registry that counts the edges that are looked at. */
class CountedRegistry extends EdgeRegistry {
  looked = 0;
  override knownOf(...args: Parameters<EdgeRegistry["knownOf"]>) {
    this.looked += 1;
    return super.knownOf(...args);
  }
}

function surveysOver(count: number) {
  const clock = new FixedClock();
  const policies = new PoliciesInForce(clock, { ...REPORTING, plans: [STARTER] });
  const instances = new CountedRegistry({ clock, policies });
  for (let i = 0; i < count; i++) instances.acquired({ edge: nameOf(i), instance: INSTANCE });
  const surveys = new EdgeSurveys({
    instances,
    log: new MemoryLog(),
    policies,
    clock,
    nextTurn: () => Promise.resolve(),
  });
  return { clock, instances, surveys };
}

it("the list of edges is read page by page, each edge once and by name", async () => {
  const plane = await startTestControlPlane();
  const names = Array.from({ length: 25 }, (_, i) => nameOf(i));
  for (const edge of [...names].reverse()) plane.instances.acquired({ edge, instance: INSTANCE });
  const listed: string[] = [];
  const sizes: number[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const answer = await plane.call("GET", `/v1/edges?limit=10${cursor === "" ? "" : `&cursor=${cursor}`}`);
    const page = answer.body as Page;
    listed.push(...page.edges.map(({ edge }) => edge));
    sizes.push(page.edges.length);
    cursor = page.cursor;
  }
  expect([listed, sizes]).toEqual([names, [10, 10, 5]]);
});

it("a page of edges that is exactly full is the last where there are no more", async () => {
  const plane = await startTestControlPlane();
  for (let i = 0; i < 10; i++) plane.instances.acquired({ edge: nameOf(i), instance: INSTANCE });
  const first = (await plane.call("GET", "/v1/edges?limit=10")).body as Page;
  expect([first.edges.length, first.cursor]).toEqual([10, null]);
});

it("a page of edges goes on after a name that is gone meanwhile", async () => {
  const plane = await startTestControlPlane();
  for (let i = 0; i < 3; i++) plane.instances.acquired({ edge: nameOf(i), instance: INSTANCE });
  const { cursor } = (await plane.call("GET", "/v1/edges?limit=1")).body as Page;
  plane.clock.advance(600_000);
  plane.instances.acquired({ edge: nameOf(1), instance: INSTANCE });
  plane.instances.forgetGone();
  const page = (await plane.call("GET", `/v1/edges?limit=5&cursor=${cursor ?? ""}`)).body as Page;
  expect(page.edges.map(({ edge }) => edge)).toEqual([nameOf(1)]);
});

it.each(["limit=0", "limit=1001", "cursor=!", "more=1"])("GET /v1/edges?%s is 400", async (query) => {
  const plane = await startTestControlPlane();
  expectError(await plane.call("GET", `/v1/edges?${query}`), "INVALID_REQUEST", query.split("=")[0]);
});

it("a scrape looks at no more edges than have series, and counts all of them each 5 s at most", async () => {
  const { clock, instances, surveys } = surveysOver(3000);
  const first = await surveys.now();
  expect(first.labelled.map(({ edge }) => edge)).toEqual(Array.from({ length: 1000 }, (_, i) => nameOf(i)));
  expect([...first.states.values()].reduce((sum, count) => sum + count, 0)).toBe(3000);
  instances.looked = 0;
  for (let i = 0; i < 10; i++) await surveys.now();
  expect(instances.looked).toBe(10 * 1000);
  clock.advance(5_000);
  await surveys.now();
  expect(instances.looked).toBe(11 * 1000 + 3000);
});

it("up to a thousand edges are counted anew by each scrape", async () => {
  const { instances, surveys } = surveysOver(999);
  await surveys.now();
  instances.acquired({ edge: "later", instance: INSTANCE });
  const { states, labelled } = await surveys.now();
  expect([...states.values()].reduce((sum, count) => sum + count, 0)).toBe(1000);
  expect(labelled).toHaveLength(1000);
});
