// POST /edge/v1/watch: who may ask, and the answer to an edge that is of another log or asks wrongly.
import { describe, expect, it } from "vitest";

import { INSTANCE, KEYS, startTestControlPlane } from "../../support/control-plane.js";
import { FILTER } from "../../support/watching.js";

describe("POST /edge/v1/watch", () => {
  const good = {
    edge: "gw-1",
    instance: INSTANCE,
    log: "1".repeat(16),
    since: 0,
  };
  const received = { log: "1".repeat(16), generation: 1, hash: "1".repeat(16), state: "ok" };

  it("only an edge credential may call POST /edge/v1/watch", async () => {
    const plane = await startTestControlPlane();
    expect((await plane.call("POST", "/edge/v1/watch", good)).status).toBe(401);
  });

  it("an edge of another log is answered with a reset", async () => {
    const plane = await startTestControlPlane();
    const answer = await plane.call("POST", "/edge/v1/watch", { ...good, later: 1 }, KEYS.edgeCredential);
    expect([answer.status, answer.body]).toEqual([200, { reset: true, ...(await plane.store.position()) }]);
  });

  it("a watch that no filter sends is 400", async () => {
    const plane = await startTestControlPlane();
    for (const fields of [
      { log: "1" },
      { log: "A".repeat(16) },
      { since: -1 },
      { since: "0" },
      { follow: "yes" },
      { policy: { ...received, hash: "" } },
      { policy: { ...received, generation: -1 } },
      { policy: { ...received, state: "x".repeat(33) } },
      { filter: { ...FILTER, build: "x" } },
      { filter: { version: "1" } },
      { table: { capacity: -1, records: 0 } },
      { table: { capacity: 1, records: 0, name: "x".repeat(33) } },
      { wallMs: -1 },
      { wallMs: "2026-01-01" },
      { edge: "" },
    ]) {
      const answer = await plane.call("POST", "/edge/v1/watch", { ...good, ...fields }, KEYS.edgeCredential);
      expect([answer.status, Object.keys(fields)]).toEqual([400, Object.keys(fields)]);
    }
  });

  it("a watch with the fields of an older filter is answered without a policy", async () => {
    const plane = await startTestControlPlane();
    const older = { ...good, log: undefined, generation: 7, policyHash: "1".repeat(16) };
    const answer = await plane.call("POST", "/edge/v1/watch", older, KEYS.edgeCredential);
    expect([answer.status, answer.body]).toEqual([
      200,
      { ...(await plane.store.position()), revoked: [], refresh: [] },
    ]);
  });

  it("a filter is given the policy's exact bytes, described in headers", async () => {
    const plane = await startTestControlPlane();
    const { log } = await plane.store.position();
    const answer = await plane.call("POST", "/edge/v1/watch", { ...good, filter: FILTER }, KEYS.edgeCredential);
    const policy = plane.policies.published("gw-1");
    expect([answer.status, answer.text]).toEqual([200, policy?.bytes.toString()]);
    const headers = ["log", "policy-generation", "policy-hash", "report-spread-ms"].map((name) =>
      answer.headers.get(`x-sluice-${name}`),
    );
    expect(headers).toEqual([log, "1", policy?.hash, "4"]);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("content-length")).toBe(String(policy?.bytes.length));
  });

  it("malformed or long violations of a policy are cut to 4 KiB, and its state is kept", async () => {
    const plane = await startTestControlPlane();
    const { log } = await plane.store.position();
    const shown = async (violations: unknown): Promise<unknown> => {
      const policy = { ...received, log, state: "rejected", violations };
      const call = plane.call("POST", "/edge/v1/watch", { ...good, log, filter: FILTER, policy }, KEYS.edgeCredential);
      await expect.poll(() => plane.instances.known(0)[0]?.lastWatch?.policy?.violations !== before).toBe(true);
      before = plane.instances.known(0)[0]?.lastWatch?.policy?.violations;
      calls.push(call);
      return before;
    };
    let before: unknown;
    const calls: Promise<unknown>[] = [];
    expect(await shown("none")).toEqual([]);
    const one = { path: "a", message: "b" };
    expect(await shown([one, null, { path: 1, message: "c" }, { ...one, more: 1 }])).toEqual([one, one]);
    const long = { path: "p".repeat(1000), message: "m".repeat(1000) };
    expect(await shown([long, long, long])).toEqual([long, long]);
    await plane.watches.stop();
    await Promise.all(calls);
  });

  it("a watch above the bound is 503", async () => {
    const plane = await startTestControlPlane();
    await plane.watches.stop();
    const { log } = await plane.store.position();
    const answer = await plane.call("POST", "/edge/v1/watch", { ...good, log }, KEYS.edgeCredential);
    expect([answer.status, answer.body]).toMatchObject([503, { error: { code: "NOT_READY" } }]);
  });
});
