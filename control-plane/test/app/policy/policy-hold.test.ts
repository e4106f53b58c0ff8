// A policy that would end live sessions is held back: which policies, which sessions count, and what ends it.
import { describe, expect, it, vi } from "vitest";

import { documentOf, heldUpCount, MINUTE_MS, running, WRONG_UNIT } from "../../support/saved-policies.js";
import { HOUR_MS } from "../../support/sessions.js";
import { withVerbs } from "../../support/store-verbs.js";
import { until } from "../../support/until.js";

describe("a saved policy that would end live sessions", () => {
  it("a lifetime in the wrong unit ends nobody, and is held with whom it would end", async () => {
    const saved = await running(10 * MINUTE_MS, 20 * MINUTE_MS, 1000);
    await saved.issued(10 * MINUTE_MS, "gold");
    expect(await saved.save(WRONG_UNIT)).toBe(true);
    expect(await saved.state()).toEqual([1, "held", 2]);
    expect([saved.service.isHeld(), saved.service.isFileRejected()]).toEqual([true, false]);
    const { held, source } = await saved.service.status();
    expect(source.name).toBe("policy.yaml");
    expect(held).toMatchObject({ since: saved.clock.nowMs(), ended: { plans: [{ plan: "starter", sessions: 2 }] } });
    const said = { sessions: 2, plans: [{ plan: "starter", sessions: 2 }], hash: held?.hash, generation: 1 };
    expect(saved.logged("policy-held")).toEqual([
      expect.objectContaining({ level: "error", source: "policy.yaml", ...said }),
    ]);
    expect(await saved.audited()).toEqual(["file policy-accepted", "file policy-held"]);
  });

  it("a shorter lifetime that no session has reached yet is in force at once", async () => {
    const saved = await running(10 * MINUTE_MS);
    await saved.save(documentOf({ lifetime: 10 * MINUTE_MS + 1 }));
    expect(await saved.state()).toEqual([2, "taken", undefined]);
    await saved.save(documentOf({ lifetime: 10 * MINUTE_MS }));
    expect(await saved.state()).toEqual([2, "held", 1]);
  });

  it("sessions that are over under the policy in force do not count", async () => {
    const saved = await running(HOUR_MS, HOUR_MS - 1);
    const revoked = await saved.issued(10 * MINUTE_MS);
    await withVerbs(saved.store).revoke(revoked, saved.clock.nowMs());
    await saved.save(WRONG_UNIT);
    expect(await saved.state()).toEqual([1, "held", 1]);
  });

  it("a shorter maxAge is held back where sessions have been idle for longer", async () => {
    const saved = await running(10 * MINUTE_MS);
    const used = await saved.issued(10 * MINUTE_MS);
    await withVerbs(saved.store).usage.hold(used, { edge: "gw-1", instance: "i" }, saved.clock.nowMs(), () => true);
    await saved.save(documentOf({ maxAge: MINUTE_MS }));
    expect(await saved.state()).toEqual([1, "held", 1]);
    await saved.save(documentOf({ maxAge: 10 * MINUTE_MS }));
    expect(await saved.state()).toEqual([2, "taken", undefined]);
  });

  it("a shorter reportInterval is held back where the shorter grace ends idle sessions", async () => {
    const saved = await running();
    const often = documentOf({ maxAge: MINUTE_MS }, {}, "controlPlane: { reportInterval: 100 }\n");
    await saved.save(documentOf({ maxAge: MINUTE_MS }));
    await saved.issued(MINUTE_MS + 15_000);
    await saved.save(often);
    expect(await saved.state()).toEqual([2, "held", 1]);
  });

  it("longer durations and other limits look at no session", async () => {
    const saved = await running(10 * MINUTE_MS);
    const look = vi.spyOn(saved.store.operator, "sessionsBefore");
    await saved.save(documentOf({ lifetime: 2 * HOUR_MS }).replaceAll('"maxTokens":100', '"maxTokens":1'));
    expect([await saved.state(), look.mock.calls]).toEqual([[2, "taken", undefined], []]);
  });

  it("a plan that comes back shorter is held back for sessions that have it still", async () => {
    const saved = await running();
    const onlyGold = documentOf({}).replace(/.*"id":0.*\n/, "");
    await saved.save(onlyGold);
    await saved.issued(10 * MINUTE_MS);
    await saved.save(WRONG_UNIT);
    expect(await saved.state()).toEqual([2, "held", 1]);
  });

  it("a session that goes while others are counted does not end the count", async () => {
    const saved = await running(...Array.from({ length: 120 }, (_, i) => 10 * MINUTE_MS + i));
    const real = saved.store.operator.sessionsBefore.bind(saved.store.operator);
    const look = vi.spyOn(saved.store.operator, "sessionsBefore");
    const shortPage: typeof real = async (...asked) => (await real(...asked)).slice(1);
    // The first look is at the newest session.
    look.mockImplementationOnce(real).mockImplementationOnce(shortPage);
    await saved.save(WRONG_UNIT);
    expect(await saved.state()).toEqual([1, "held", 119]);
  });

  it("more sessions than a page of the store are counted, and others get their turn", async () => {
    const saved = await running(...Array.from({ length: 250 }, (_, i) => 10 * MINUTE_MS + i));
    await saved.save(WRONG_UNIT);
    expect(await saved.state()).toEqual([1, "held", 250]);
  });
});

describe("another text while one is held back", () => {
  it("the same text again, or with other comments, is held once and since the same time", async () => {
    const saved = await running(10 * MINUTE_MS);
    await saved.save(WRONG_UNIT);
    const since = saved.clock.nowMs();
    saved.clock.advance(1000);
    await saved.save(`# In seconds, is it?\n${WRONG_UNIT}`);
    expect((await saved.service.status()).held).toMatchObject({ since, countedAt: since + 1000 });
    expect([saved.logged("policy-held").length, await saved.audited()]).toEqual([
      1,
      ["file policy-accepted", "file policy-held"],
    ]);
  });

  it("another text that ends sessions is held in its place, and the first hash confirms nothing", async () => {
    const saved = await running(10 * MINUTE_MS);
    await saved.save(WRONG_UNIT);
    const first = await saved.heldHash();
    await saved.save(documentOf({ lifetime: 3601 }));
    expect(await saved.service.confirm(first, "operator:1")).toEqual({ outcome: "anotherHeld" });
    expect(await saved.state()).toEqual([1, "held", 1]);
    expect(saved.logged("policy-held")).toHaveLength(2);
  });

  it.each([
    ["what is in force", documentOf({}), [1, "taken", undefined]],
    ["a text that ends nobody", documentOf({ lifetime: 2 * HOUR_MS }), [2, "taken", undefined]],
    ["a text with a violation", "version: 1\nplans: []\n", [1, "rejected", undefined]],
  ])("nothing is held any more once %s is saved", async (_, text, state) => {
    const saved = await running(10 * MINUTE_MS);
    await saved.save(WRONG_UNIT);
    const hash = await saved.heldHash();
    await saved.save(text);
    expect([await saved.state(), saved.service.isHeld()]).toEqual([state, false]);
    expect(await saved.service.confirm(hash, "operator:1")).toEqual({ outcome: "noneHeld" });
  });

  it("a look at the status says that a saved text is being judged, and waits for no long count", async () => {
    const saved = await running(10 * MINUTE_MS);
    const first = heldUpCount(saved);
    const judged = saved.save(WRONG_UNIT);
    await first.begun;
    expect(await saved.state()).toEqual([1, "judged", undefined]);
    saved.clock.advance(5000);
    first.goOn();
    await judged;
    await saved.issued(10 * MINUTE_MS);
    saved.clock.advance(5000);
    const second = heldUpCount(saved);
    expect(await saved.state()).toEqual([1, "held", 1]);
    second.goOn();
    await until(async () => {
      expect(await saved.state()).toEqual([1, "held", 2]);
    });
  });

  it("a look at the status counts again, once in five seconds", async () => {
    const saved = await running(10 * MINUTE_MS);
    await saved.save(WRONG_UNIT);
    await saved.issued(10 * MINUTE_MS);
    expect(await saved.state()).toEqual([1, "held", 1]);
    saved.clock.advance(5000);
    expect(await Promise.all([saved.state(), saved.state()])).toEqual([
      [1, "held", 2],
      [1, "held", 2],
    ]);
  });
});

describe("what can go wrong while sessions are counted", () => {
  it("a store that cannot be read leaves the policy undecided, and it is tried again", async () => {
    const saved = await running(10 * MINUTE_MS);
    vi.spyOn(saved.store.operator, "sessionsBefore").mockRejectedValueOnce(new Error("MDB_PANIC"));
    expect(await saved.save(WRONG_UNIT)).toBe(false);
    expect(saved.logged("policy-store-failed")).toHaveLength(1);
    expect(await saved.state()).toEqual([1, "judged", undefined]);
    expect(await saved.save(WRONG_UNIT)).toBe(true);
    expect(await saved.state()).toEqual([1, "held", 1]);
  });

  it("a shorter lifetime of a start is judged once the clock can be trusted, which is said once", async () => {
    const saved = await running(10 * MINUTE_MS);
    saved.clock.settled = false;
    saved.clock.step(-24 * HOUR_MS);
    await saved.start(WRONG_UNIT);
    expect([saved.isTaken, await saved.save(WRONG_UNIT), await saved.state()]).toEqual([
      false,
      false,
      [1, "judged", undefined],
    ]);
    expect(saved.logged("policy-waits-for-clock")).toHaveLength(1);
    saved.clock.settled = true;
    saved.clock.step(24 * HOUR_MS);
    expect([await saved.save(WRONG_UNIT), await saved.state()]).toEqual([true, [1, "held", 1]]);
  });

  it("a policy waits for no clock if it shortens nothing, or is saved after the start", async () => {
    const saved = await running(10 * MINUTE_MS);
    saved.clock.settled = false;
    await saved.start(documentOf({ lifetime: 2 * HOUR_MS }));
    expect(await saved.state()).toEqual([2, "taken", undefined]);
    await saved.start(WRONG_UNIT);
    expect(await saved.state()).toEqual([2, "judged", undefined]);
    expect(await saved.save(documentOf({ lifetime: 3 * MINUTE_MS }))).toBe(true);
    expect(await saved.state()).toEqual([2, "held", 1]);
  });

  it("a hold that the audit log did not take is logged once and audited later", async () => {
    const saved = await running(10 * MINUTE_MS);
    vi.spyOn(saved.store.audit, "appendAudit").mockRejectedValueOnce(new Error("no space left"));
    expect(await saved.save(WRONG_UNIT)).toBe(false);
    expect(await saved.state()).toEqual([1, "held", 1]);
    expect(await saved.save(WRONG_UNIT)).toBe(true);
    expect([saved.logged("policy-held").length, await saved.audited()]).toEqual([
      1,
      ["file policy-accepted", "file policy-held"],
    ]);
  });

  it("a stop in the middle of a count reads the store no further, and decides nothing", async () => {
    const saved = await running(...Array.from({ length: 250 }, (_, i) => 10 * MINUTE_MS + i));
    const { begun, goOn, look } = heldUpCount(saved);
    const judged = saved.save(WRONG_UNIT);
    await begun;
    const stopped = saved.service.stop();
    goOn();
    await stopped;
    expect([await judged, saved.service.isHeld(), look.mock.calls.length]).toEqual([true, false, 1]);
    expect(saved.logged("policy-take-failed")).toEqual([]);
  });
});
