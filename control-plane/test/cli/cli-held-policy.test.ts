// The command line: a policy that is held back, and its confirmation.
import { describe, expect, it } from "vitest";

import { jsonLines, sluice } from "../support/cli.js";
import { expectError, ISSUER_TOKEN, startTestControlPlane } from "../support/control-plane.js";
import { text, twoFollowers } from "../support/followers.js";
import { running, MINUTE_MS, WRONG_UNIT } from "../support/saved-policies.js";

/** A control plane whose policies are saved by the test. */
async function planeWith(...ages: number[]) {
  const saved = await running(...ages);
  const plane = await startTestControlPlane(undefined, { policyStatus: saved.service });
  return { saved, plane };
}

describe("policy status", () => {
  it("policy status shows generation and hash in force", async () => {
    const { saved, plane } = await planeWith();
    const { hash } = saved.service.published("gw-1");
    expect(await sluice("policy status", plane)).toMatchObject({
      code: 0,
      out: `In force: generation 1, hash ${hash}\n`,
    });
  });

  it("policy status shows what is held, since when, whom it would end, and how to confirm it", async () => {
    const { saved, plane } = await planeWith(10 * MINUTE_MS, 20 * MINUTE_MS);
    await saved.save(WRONG_UNIT);
    const hash = await saved.heldHash();
    const ran = await sluice("policy status", plane);
    expect(ran.code, ran.err).toBe(0);
    expect(ran.out).toContain(`policy.yaml: held back since 2026-01-01T00:00:00Z, hash ${hash}\n`);
    expect(ran.out).toContain("It would end 2 live sessions (counted 2026-01-01T00:00:00Z)\n");
    expect(ran.out).toMatch(/^starter +2$/m);
    expect(ran.out).toContain(`\n  sluice policy confirm ${hash}\n`);
    const held = { hash, sessions: 2, plans: [{ plan: "starter", sessions: 2 }] };
    expect(jsonLines(await sluice("policy status --json", plane))).toMatchObject([
      { inForce: { generation: 1 }, source: { name: "policy.yaml", state: "held" }, held },
    ]);
  });

  it("policy status says what is held also once it would end nobody any more", async () => {
    const { saved, plane } = await planeWith(10 * MINUTE_MS);
    await saved.save(WRONG_UNIT);
    saved.clock.advance(60 * MINUTE_MS);
    const ran = await sluice("policy status", plane);
    expect(ran.out).toContain("held back since 2026-01-01T00:00:00Z");
    expect(ran.out).toContain("It would end 0 live sessions (counted 2026-01-01T01:00:00Z)\n");
  });

  it("policy status says that the file is rejected", async () => {
    const { saved, plane } = await planeWith();
    await saved.save("version: 1\nplans: []\n");
    expect((await sluice("policy status", plane)).out).toContain("policy.yaml: rejected; sluice policy check");
  });
});

describe("a policy file that is behind another control plane's", () => {
  it("policy status names a file that is behind, and how its older policy comes into force", async () => {
    const [a, b] = await twoFollowers(text(1));
    await a.save(text(2));
    await b.start();
    const plane = await startTestControlPlane(undefined, { policyStatus: b.service });
    const hash = await b.heldHash();
    const ran = await sluice("policy status", plane);
    expect(ran.out).toContain(`policy.yaml: behind since 2026-01-01T00:00:00Z, hash ${hash}\n`);
    expect(ran.out).toContain("another control plane over the same store has put the one in force in its place");
    expect(ran.out).toContain(`If the older one is meant:\n  sluice policy confirm ${hash}\n`);
    expect(ran.out).not.toContain("It would end");
    expect(jsonLines(await sluice("doctor --json", plane))).toContainEqual(
      expect.objectContaining({
        code: "POLICY_BEHIND",
        act: expect.stringContaining(`policy confirm ${hash}`) as string,
      }),
    );
    expect((await sluice(`policy confirm ${hash}`, plane)).out).toContain("Confirmed: generation 3 is in force");
  });
});

describe("policy confirm", () => {
  it("policy confirm publishes the policy of that hash, and says so", async () => {
    const { saved, plane } = await planeWith(10 * MINUTE_MS);
    await saved.save(WRONG_UNIT);
    const hash = await saved.heldHash();
    const ran = await sluice(`policy confirm ${hash}`, plane);
    expect(ran).toMatchObject({
      code: 0,
      out: `Confirmed: generation 2 is in force, hash ${hash}; 1 live session, as counted last, ends\n`,
    });
    expect(await saved.audited()).toContainEqual(expect.stringMatching(/^operator:[0-9a-f]{8} policy-confirmed$/));
  });

  it("policy confirm of another hash, or where nothing is held, is exit code 1", async () => {
    const { saved, plane } = await planeWith(10 * MINUTE_MS);
    const none = await sluice(`policy confirm ${"0".repeat(16)}`, plane);
    expect(none).toMatchObject({ code: 1, err: expect.stringContaining("POLICY_NOT_HELD") as string });
    await saved.save(WRONG_UNIT);
    const other = await sluice(`policy confirm ${"0".repeat(16)}`, plane);
    expect(other).toMatchObject({ code: 1, err: expect.stringContaining("POLICY_HASH_DIFFERS") as string });
    expect(await saved.state()).toEqual([1, "held", 1]);
  });

  it("policy confirm takes a whole hash only", async () => {
    expect(await sluice("policy confirm 0x12")).toMatchObject({ code: 2, out: "" });
  });
});

describe("the routes of the policy", () => {
  it("a confirmation whose body is no hash is 400, and a missing plan is 409", async () => {
    const { saved, plane } = await planeWith(10 * MINUTE_MS);
    expectError(await plane.call("POST", "/v1/policy/confirm", { hash: "12" }), "INVALID_REQUEST", "hash");
    await saved.save(WRONG_UNIT.replace(/.*"id":1.*\n/, ""));
    const hash = await saved.heldHash();
    await saved.issued(1000, "gold");
    const message = expectError(await plane.call("POST", "/v1/policy/confirm", { hash }), "POLICY_REJECTED");
    expect(message).toContain('plan "gold"');
  });

  it("an issuer may neither see what is held nor confirm it", async () => {
    const { saved, plane } = await planeWith(10 * MINUTE_MS);
    await saved.save(WRONG_UNIT);
    const hash = await saved.heldHash();
    expectError(await plane.call("GET", "/v1/policy/status", undefined, ISSUER_TOKEN), "FORBIDDEN");
    expectError(await plane.call("POST", "/v1/policy/confirm", { hash }, ISSUER_TOKEN), "FORBIDDEN");
    expect(await saved.state()).toEqual([1, "held", 1]);
  });
});
