// POST /edge/v1/watch: who may ask, and what is answered to an edge that cannot be told or that asks wrongly.
import { describe, expect, it } from "vitest";

import { INSTANCE, KEYS, startTestControlPlane } from "./support/control-plane.js";

describe("POST /edge/v1/watch", () => {
  const good = {
    edge: "gw-1",
    instance: INSTANCE,
    log: "1".repeat(16),
    since: 0,
    generation: 1,
    policyHash: "1".repeat(16),
  };

  it("is for edges", async () => {
    const plane = await startTestControlPlane();
    expect((await plane.call("POST", "/edge/v1/watch", good)).status).toBe(401);
  });

  it("tells an edge of another log to begin anew", async () => {
    const plane = await startTestControlPlane();
    const answer = await plane.call("POST", "/edge/v1/watch", { ...good, later: 1 }, KEYS.edgeCredential);
    expect([answer.status, answer.body]).toEqual([200, { reset: true, ...(await plane.store.position()) }]);
  });

  it("answers 400 for anything that no filter sends", async () => {
    const plane = await startTestControlPlane();
    for (const fields of [
      { log: "1" },
      { log: "A".repeat(16) },
      { since: -1 },
      { since: "0" },
      { policyHash: "" },
      { edge: "" },
    ]) {
      const answer = await plane.call("POST", "/edge/v1/watch", { ...good, ...fields }, KEYS.edgeCredential);
      expect([answer.status, Object.keys(fields)]).toEqual([400, Object.keys(fields)]);
    }
  });

  it("answers 503 when no more watches are held", async () => {
    const plane = await startTestControlPlane();
    await plane.watches.stop();
    const { log } = await plane.store.position();
    const answer = await plane.call("POST", "/edge/v1/watch", { ...good, log }, KEYS.edgeCredential);
    expect([answer.status, answer.body]).toMatchObject([503, { error: { code: "NOT_READY" } }]);
  });
});
