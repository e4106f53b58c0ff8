// An edge that is to run another generation than the others: everything that is told to it, or said of it, goes by that.
import { expect, it } from "vitest";

import { created, startTestControlPlane } from "../../support/control-plane.js";
import { METERED, REPORTING, STARTER } from "../../support/sessions.js";
import { received, nobodyHangsUp, request, settled } from "../../support/watching.js";

const CANARY = { generation: 2, policy: { ...REPORTING, plans: [{ ...STARTER, maxTokens: 7 }, METERED] } };

/** Generation 1 is published for all edges but gw-2, which is to run generation 2. */
async function withCanary() {
  const plane = await startTestControlPlane();
  plane.policies.putFor("gw-2", CANARY);
  const { log } = await plane.store.position();
  const watch = (edge: string, generation: number) =>
    plane.watches.watch(request({ edge, log, policy: received(generation, { log }) }), nobodyHangsUp());
  return { plane, watch };
}

it("an edge is offered on its watch the generation that is published for it", async () => {
  const { watch } = await withCanary();
  expect(await watch("gw-2", 1)).toMatchObject({ outcome: "policy", offer: { policy: { generation: 2 } } });
  expect(await watch("gw-2", 0)).toMatchObject({ outcome: "policy", offer: { policy: { generation: 2 } } });
  expect(await watch("gw-1", 0)).toMatchObject({ outcome: "policy", offer: { policy: { generation: 1 } } });
});

it("an acquire is answered with the generation and the bucket of the asking edge", async () => {
  const { plane } = await withCanary();
  const { session } = await created(plane);
  const [one, canary] = [await plane.acquire(session.id), await plane.acquire(session.id, { edge: "gw-2" })];
  expect(one.body).toMatchObject({ generation: 1, level: 100_000_000 });
  expect(canary.body).toMatchObject({ generation: 2, level: 7_000_000 });
});

it("an edge is current when it has taken what is published for it", async () => {
  const { plane, watch } = await withCanary();
  void watch("gw-1", 1);
  void watch("gw-2", 2);
  await settled();
  const { edges } = (await plane.call("GET", "/v1/edges")).body as { edges: object[] };
  expect(edges).toMatchObject([
    { edge: "gw-1", published: 1, state: "current" },
    { edge: "gw-2", published: 2, state: "current" },
  ]);
});
