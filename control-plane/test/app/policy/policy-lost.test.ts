// A generation that is in force in a control plane and that the shared store has lost (docs/decisions/0077-two-followers-of-one-policy.md).
import { describe, expect, it, vi } from "vitest";

import { policyHash } from "../../../src/domain/policy/policy-hash.js";
import { MemoryStore } from "../../../src/store/memory/store.js";
import { Follower, generations, text } from "../../support/followers.js";

/** Two control planes over one store, in which text 1 and then text 2 are in force at both. */
async function bothAtTwo() {
  const store = new MemoryStore();
  const a = await new Follower(store).start(text(1));
  const b = await new Follower(store).start(text(1));
  await a.save(text(2));
  await b.save(text(2));
  await a.look();
  return { store, a, b };
}

let logs = 0;

/** As a failover to a replica that lacks the newest generations: the store has another log from then on. */
function failOver(store: MemoryStore, lost: number): void {
  store.policies.lose(lost);
  store.invalidations.change((0xf000 + ++logs).toString(16).padStart(16, "0"));
}

/** What an edge is given of it at a control plane: number and hash. */
const given = ({ service }: Follower): readonly unknown[] => {
  const { generation, hash } = service.published("gw-1");
  return [generation, hash];
};

describe("a policy in force that the shared store lost", () => {
  it("the lost policy is saved again once, under a new number, and is in force at both", async () => {
    const { store, a, b } = await bothAtTwo();
    const heard = vi.fn();
    b.service.subscribe(heard);
    failOver(store, 1);
    await Promise.all([a.look(), b.look()]);
    for (let at = 0; at < 3; at++) await Promise.all([a.look(), b.look()]);
    expect([await a.shows(), await b.shows(), await generations(a)]).toEqual([[3, 2, "taken"], [3, 2, "taken"], 3]);
    expect([given(a), heard.mock.calls.length]).toEqual([given(b), 1]);
    const lines = [a, b].flatMap((one) => one.logged("policy-generation-lost"));
    expect(lines).toEqual([{ level: "error", event: "policy-generation-lost", lost: 2, stored: 1, generation: 3 }]);
    expect((await store.policies.policy(3))?.hash).toBe(a.service.published("gw-1").hash);
  });

  it("the operator sees the new number, and the audit log has the one that is gone", async () => {
    const { store, a } = await bothAtTwo();
    failOver(store, 1);
    await a.look();
    const { inForce, source } = await a.service.status();
    expect([inForce, source.state]).toEqual([{ generation: 3, hash: given(a)[1] }, "taken"]);
    const [entry] = await a.store.audit.auditBefore(undefined, 1);
    expect(entry).toMatchObject({ action: "policy-accepted", details: { generation: 3, lost: 2 } });
  });

  it("a text saved before the loss is noticed takes the number after that of the lost policy", async () => {
    const { store, a, b } = await bothAtTwo();
    failOver(store, 1);
    await a.save(text(3));
    await b.look();
    expect([await a.shows(), await b.shows()]).toEqual([
      [4, 3, "taken"],
      [4, 3, "behind"],
    ]);
  });

  it("a control plane that had decided more than the others has its policy in force at all", async () => {
    const { store, a, b } = await bothAtTwo();
    await a.save(text(3));
    failOver(store, 2);
    // It knows the generation before the last, and saves that under the number of the last one.
    await b.look();
    expect(await b.shows()).toEqual([3, 2, "taken"]);
    await a.look();
    await b.look();
    expect([(await a.shows()).slice(0, 2), (await b.shows()).slice(0, 2)]).toEqual([
      [4, 3],
      [4, 3],
    ]);
    expect(given(a)).toEqual(given(b));
  });

  it("a policy that another control plane decided after the loss stays in force", async () => {
    const { store, a, b } = await bothAtTwo();
    failOver(store, 1);
    await b.start(text(1));
    b.clock.advance(60_000);
    await b.save(text(3));
    expect(await b.shows()).toEqual([2, 3, "taken"]);
    await a.look();
    await b.look();
    expect([await a.shows(), await b.shows()]).toEqual([
      [3, 3, "behind"],
      [3, 3, "taken"],
    ]);
    expect(given(a)).toEqual(given(b));
  });

  it("the next decision goes above what an edge received from a control plane that has died", async () => {
    const { store, a, b } = await bothAtTwo();
    failOver(store, 1);
    await b.start(text(1));
    b.service.shown(Number(given(a)[0]));
    await b.save(text(3));
    expect(await b.shows()).toEqual([3, 3, "taken"]);
    // None that a control plane can have given.
    b.service.shown(1_000_000);
    await b.save(text(4));
    expect(await b.shows()).toEqual([4, 4, "taken"]);
  });

  it("a store that takes no writes keeps the policy in force until it can be saved again", async () => {
    const { store, a } = await bothAtTwo();
    failOver(store, 1);
    const save = vi.spyOn(store.policies, "savePolicy").mockRejectedValue(new Error("READONLY"));
    for (let at = 0; at < 3; at++) await a.look();
    expect([await a.shows(), a.logged("policy-store-failed").length]).toEqual([[2, 2, "taken"], 1]);
    save.mockRestore();
    await a.look();
    expect([await a.shows(), await generations(a)]).toEqual([[3, 2, "taken"], 3]);
  });

  it("a failover that lost nothing leaves the generation as it is", async () => {
    const { store, a, b } = await bothAtTwo();
    const read = vi.spyOn(store.policies, "policy");
    for (let at = 0; at < 3; at++) {
      failOver(store, 0);
      for (const one of [a, b, a, b]) await one.look();
    }
    expect([await a.shows(), await b.shows(), await generations(a)]).toEqual([[2, 2, "taken"], [2, 2, "taken"], 2]);
    // Once a process and log.
    expect(read).toHaveBeenCalledTimes(6);
  });

  it("a decision of a later version that the lost number hides is served under another number", async () => {
    const { store, a } = await bothAtTwo();
    failOver(store, 1);
    const policyJson = "of a later version";
    const later = { policyJson, hash: policyHash(policyJson), atMs: a.clock.nowMs() + 1, source: "policy.yaml" };
    await store.policies.savePolicy({ ...later, generation: 2 }, 1);
    await a.look();
    expect([(await a.shows()).slice(0, 2), await store.policies.policy(3)]).toMatchObject([[2, 2], later]);
  });

  it("an own number that the store reaches while it is asked is none that was lost", async () => {
    const { store, a } = await bothAtTwo();
    const save = vi.spyOn(store.policies, "savePolicy");
    const before = store.policies.newestGeneration();
    vi.spyOn(store.policies, "newestGeneration").mockImplementationOnce(async () => {
      await a.save(text(3));
      return before;
    });
    await a.look();
    expect([await a.shows(), await generations(a)]).toEqual([[3, 3, "taken"], 3]);
    expect(save).toHaveBeenCalledTimes(1);
  });
});
