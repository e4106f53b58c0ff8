// An operator's word for a policy that ends live sessions, and starts while one waits for it.
import { describe, expect, it, vi } from "vitest";

import { NoPolicyError } from "../../../src/app/policy/policy-steps.js";
import { StoreUnwritable } from "../../../src/app/ports/store-health.js";
import {
  documentOf,
  heldUpCount,
  MINUTE_MS,
  running,
  SavedPolicies,
  WRONG_UNIT,
} from "../../support/saved-policies.js";
import { until } from "../../support/until.js";

describe("a confirmation", () => {
  it("the confirmed policy is published at once, and audited with who, and the number", async () => {
    const saved = await running(10 * MINUTE_MS);
    await saved.save(WRONG_UNIT);
    const hash = await saved.heldHash();
    const heard = vi.fn();
    saved.service.subscribe(heard);
    const confirmed = await saved.service.confirm(hash, "operator:1f2e3d4c");
    expect(confirmed).toEqual({ outcome: "published", generation: 2, hash, sessions: 1 });
    expect([saved.service.published("gw-1").hash, heard.mock.calls.length]).toEqual([hash, 1]);
    expect(await saved.state()).toEqual([2, "taken", undefined]);
    const [entry] = await saved.store.audit.auditBefore(undefined, 1);
    expect(entry).toMatchObject({
      ...{ actor: "operator:1f2e3d4c", action: "policy-confirmed" },
      details: { source: "policy.yaml", generation: 2, hash, sessions: 1 },
    });
    expect(await saved.service.confirm(hash, "operator:1")).toEqual({ outcome: "noneHeld" });
  });

  it("a confirmation that cannot be stored publishes nothing, and can be given again", async () => {
    const saved = await running(10 * MINUTE_MS);
    await saved.save(WRONG_UNIT);
    const hash = await saved.heldHash();
    const full = new StoreUnwritable("no space left");
    vi.spyOn(saved.store.policies, "savePolicy").mockRejectedValueOnce(full);
    await expect(saved.service.confirm(hash, "operator:1")).rejects.toBe(full);
    expect(await saved.state()).toEqual([1, "held", 1]);
    expect(await saved.audited()).toEqual(["file policy-accepted", "file policy-held"]);
    expect(await saved.service.confirm(hash, "operator:1")).toMatchObject({ outcome: "published" });
  });

  it("a plan that got sessions while its removal was held is not removed by the confirmation", async () => {
    const saved = await running(10 * MINUTE_MS);
    await saved.save(WRONG_UNIT.replace(/.*"id":1.*\n/, ""));
    const hash = await saved.heldHash();
    await saved.issued(1000, "gold");
    const violations = [expect.objectContaining({ path: "plans" })];
    expect(await saved.service.confirm(hash, "operator:1")).toEqual({ outcome: "rejected", violations });
    expect(await saved.state()).toEqual([1, "rejected", undefined]);
  });

  it("a confirmation while another text is judged confirms only what is held after that", async () => {
    const saved = await running(10 * MINUTE_MS);
    await saved.save(WRONG_UNIT);
    const hash = await saved.heldHash();
    const { begun, goOn } = heldUpCount(saved);
    const judged = saved.save(documentOf({ lifetime: 3601 }));
    await begun;
    const confirmed = saved.service.confirm(hash, "operator:1");
    goOn();
    expect([await judged, await confirmed]).toEqual([true, { outcome: "anotherHeld" }]);
  });

  it("what another process publishes meanwhile is no longer held here", async () => {
    const saved = await running(10 * MINUTE_MS);
    await saved.save(WRONG_UNIT);
    const other = await new SavedPolicies(saved.store).start(documentOf({}));
    await other.save(WRONG_UNIT);
    await other.service.confirm(await other.heldHash(), "operator:1");
    saved.service.shown(2);
    await until(async () => {
      expect(await saved.state()).toEqual([2, "taken", undefined]);
    });
  });
});

describe("a start with a policy that would end live sessions", () => {
  it("the stored policy is in force, and the text is held until it is confirmed", async () => {
    const saved = await running(10 * MINUTE_MS);
    await saved.start(WRONG_UNIT);
    expect(await saved.state()).toEqual([1, "held", 1]);
    const hash = await saved.heldHash();
    await saved.start();
    expect([await saved.state(), await saved.heldHash()]).toEqual([[1, "held", 1], hash]);
    await saved.service.confirm(hash, "operator:1");
    await saved.start();
    expect(await saved.state()).toEqual([2, "taken", undefined]);
  });

  it("sessions that were idle through a long stop count, though nothing is idle at a start", async () => {
    const saved = await running(50 * MINUTE_MS);
    await saved.save(documentOf({ maxAge: 20 * MINUTE_MS }, {}));
    await saved.service.confirm(await saved.heldHash(), "operator:1");
    // Down for longer than it may be idle: its Envoy may have seen it, and it is given the time to say so.
    await saved.start(documentOf({ maxAge: MINUTE_MS }));
    expect(await saved.state()).toEqual([2, "held", 1]);
  });

  it("a start waits for no long count: the text is judged once the stored policy serves", async () => {
    const saved = await running(...Array.from({ length: 2200 }, (_, i) => 10 * MINUTE_MS + i));
    await saved.start(WRONG_UNIT);
    expect([await saved.state(), saved.isTaken]).toEqual([[1, "judged", undefined], false]);
    await saved.save(WRONG_UNIT);
    expect([await saved.state(), saved.logged("policy-take-failed")]).toEqual([[1, "held", 2200], []]);
  });

  it("a text that ends sessions is no first policy where the stored one cannot be read", async () => {
    const saved = new SavedPolicies();
    const unreadable = { generation: 7, policyJson: "of another version", hash: "", atMs: null, source: null };
    await saved.store.policies.savePolicy(unreadable, 0);
    await saved.issued(10 * MINUTE_MS);
    const start = saved.start(WRONG_UNIT);
    await expect(start).rejects.toThrow(NoPolicyError);
    await expect(start).rejects.toThrow("would end 1 live session of the store");
    await saved.start(documentOf({ maxAge: MINUTE_MS }));
    expect(await saved.state()).toEqual([8, "taken", undefined]);
  });

  it("a clock that is behind makes no session look too young to be ended by a first policy", async () => {
    const saved = new SavedPolicies();
    const unreadable = { generation: 7, policyJson: "of another version", hash: "", atMs: null, source: null };
    await saved.store.policies.savePolicy(unreadable, 0);
    for (const age of [10 * MINUTE_MS, 0]) await saved.issued(age);
    saved.clock.step(-1440 * MINUTE_MS);
    await expect(saved.start(WRONG_UNIT)).rejects.toThrow("would end 1 live session of the store");
  });
});
