// Several control planes over one store, whose policy files change minutes apart (docs/decisions/0077-two-followers-of-one-policy.md).
import { describe, expect, it, vi } from "vitest";

import { MemoryStore } from "../../../src/store/memory/store.js";
import { followers, Follower, generations, settled, text, twoFollowers } from "../../support/followers.js";
import { documentOf, MINUTE_MS, SavedPolicies, WRONG_UNIT } from "../../support/saved-policies.js";

describe("a policy that one control plane publishes", () => {
  it("a policy published at one is in force at the other with its next look at the store", async () => {
    const [a, b] = await twoFollowers(text(1));
    const heard = vi.fn();
    b.service.subscribe(heard);
    await a.save(text(2));
    expect(await b.shows()).toEqual([1, 1, "taken"]);
    await b.look();
    expect([await b.shows(), heard.mock.calls.length]).toEqual([[2, 2, "behind"], 1]);
    expect(b.service.published("gw-1")).toMatchObject({ generation: 2, decidedAtMs: null });
    await b.save(text(2));
    expect([await b.shows(), await generations(b)]).toEqual([[2, 2, "taken"], 2]);
  });

  it("a text that is published here seems at no moment to be behind", async () => {
    const [a] = await followers(text(1));
    const seen: unknown[] = [];
    a?.service.subscribe(() => seen.push([a.service.current().generation, a.service.isBehind()]));
    await a?.save(text(2));
    expect(seen).toEqual([[2, false]]);
  });

  it("control planes that start with one file make one generation of it", async () => {
    const all = await followers(text(1), text(1), text(1));
    expect(await Promise.all(all.map((one) => one.shows()))).toEqual(Array(3).fill([1, 1, "taken"]));
  });

  it("control planes that start at once over an empty store make one generation", async () => {
    const store = new MemoryStore();
    const [a, b] = [new Follower(store), new Follower(store)];
    await Promise.all([a.start(text(2)), b.start(text(2))]);
    expect([await a.shows(), await b.shows()]).toEqual([
      [1, 2, "taken"],
      [1, 2, "taken"],
    ]);
  });

  it("a text saved at both at one moment is one generation", async () => {
    const [a, b] = await twoFollowers(text(1));
    await Promise.all([a.save(text(2)), b.save(text(2))]);
    expect([await a.shows(), await b.shows(), await generations(a)]).toEqual([[2, 2, "taken"], [2, 2, "taken"], 2]);
  });

  it("two texts saved at one moment: one of them is in force at both, and stays", async () => {
    const [a, b] = await twoFollowers(text(1));
    await Promise.all([a.save(text(2)), b.save(text(3))]);
    for (let at = 0; at < 5; at++) {
      await a.look();
      await b.look();
    }
    const [ofA, ofB] = [await a.shows(), await b.shows()];
    expect(ofA.slice(0, 2)).toEqual(ofB.slice(0, 2));
    expect([[ofA[2], ofB[2]].sort(), await generations(a)]).toEqual([["behind", "taken"], 3]);
  });

  it("files that differ for good change nothing with time, nor by being saved as they are", async () => {
    const [a, b] = await twoFollowers(text(1));
    await a.save(text(2));
    for (let at = 0; at < 5; at++) {
      await b.look();
      await b.save(text(1));
      await a.look();
      await a.save(text(2));
    }
    expect([await a.shows(), await b.shows(), await generations(a)]).toEqual([[2, 2, "taken"], [2, 2, "behind"], 2]);
  });
});

describe("a file that reaches a control plane late", () => {
  it("it goes through older texts one by one, and none of them comes into force again", async () => {
    const [a, b] = await twoFollowers(text(1));
    for (const version of [2, 3, 4]) await a.save(text(version));
    await b.look();
    for (const version of [2, 3]) {
      await b.save(text(version));
      expect(await b.shows()).toEqual([4, 4, "behind"]);
    }
    await b.save(text(4));
    expect([await b.shows(), await generations(b)]).toEqual([[4, 4, "taken"], 4]);
  });

  it("a file that was broken meanwhile and is as before publishes nothing", async () => {
    const [a, b] = await twoFollowers(text(1));
    await b.save("plans: [");
    expect(await b.shows()).toEqual([1, 1, "rejected"]);
    await a.save(text(2));
    await b.save(text(1));
    expect([await b.shows(), await generations(b)]).toEqual([[2, 2, "behind"], 2]);
  });

  it("an operator who goes back to an older text has it in force at both", async () => {
    const [a, b] = await twoFollowers(text(1));
    await a.save(text(2));
    await b.save(text(2));
    await a.save(text(1));
    expect(await a.shows()).toEqual([3, 1, "taken"]);
    await b.look();
    expect(await b.shows()).toEqual([3, 1, "behind"]);
    await b.save(text(1));
    await b.save(text(2));
    await a.look();
    expect([await a.shows(), await b.shows()]).toEqual([
      [4, 2, "behind"],
      [4, 2, "taken"],
    ]);
  });

  it("a text that the other brings back while this file still has it is taken again", async () => {
    const [a, b] = await twoFollowers(text(1));
    await a.save(text(2));
    await b.look();
    await a.save(text(1));
    await b.look();
    expect(await b.shows()).toEqual([3, 1, "taken"]);
    await a.save(text(2));
    await b.save(text(2));
    expect([await b.shows(), await generations(b)]).toEqual([[4, 2, "taken"], 4]);
  });

  it("a file that is behind is named in the log once, after three minutes", async () => {
    const [a, b] = await twoFollowers(text(1));
    await a.save(text(2));
    await b.look();
    b.clock.advance(3 * MINUTE_MS - 1);
    await b.look();
    expect(b.logged("policy-file-behind")).toEqual([]);
    b.clock.advance(1);
    await b.look();
    await b.save(text(1));
    const hash = await b.heldHash();
    expect(b.logged("policy-file-behind")).toEqual([
      { level: "warn", event: "policy-file-behind", source: "policy.yaml", hash, generation: 2 },
    ]);
  });
});

describe("a control plane that starts while its file is behind", () => {
  it("the newer policy stays in force, and the log says what to do", async () => {
    const [a, b] = await twoFollowers(text(1));
    await a.save(text(2));
    await a.save(text(3));
    await b.start();
    expect([await b.shows(), await generations(b), b.isTaken]).toEqual([[3, 3, "behind"], 3, true]);
    expect(b.logged("policy-file-behind")).toMatchObject([{ level: "warn", generation: 3 }]);
    expect([b.service.isBehind(), b.service.isHeld(), b.service.isFileRejected()]).toEqual([true, false, false]);
    await b.save(text(3));
    expect([await b.shows(), b.service.isBehind()]).toEqual([[3, 3, "taken"], false]);
  });

  it("a text that nobody has seen is a new decision", async () => {
    const [a, b] = await twoFollowers(text(1));
    await b.start(text(2));
    await a.look();
    expect([await a.shows(), await b.shows()]).toEqual([
      [2, 2, "behind"],
      [2, 2, "taken"],
    ]);
  });

  it("a rolling restart of all while half of the files are old publishes nothing", async () => {
    const all = await followers(text(1), text(1), text(1), text(1));
    await all[0]?.save(text(2));
    for (const [at, one] of all.entries()) await one.start(text(at < 2 ? 2 : 1));
    const shown = await Promise.all(all.map((one) => one.shows()));
    expect(shown).toEqual([...Array<unknown>(2).fill([2, 2, "taken"]), ...Array<unknown>(2).fill([2, 2, "behind"])]);
    expect(await generations(all[0] as Follower)).toBe(2);
  });

  it("an operator's word puts the older text in force again, at both", async () => {
    const [a, b] = await twoFollowers(text(1));
    await a.save(text(2));
    await b.start();
    const hash = await b.heldHash();
    const confirmed = await b.service.confirm(hash, "operator:1f2e3d4c");
    expect(confirmed).toEqual({ outcome: "published", generation: 3, hash, sessions: 0 });
    await a.look();
    expect([await a.shows(), await b.shows()]).toEqual([
      [3, 1, "behind"],
      [3, 1, "taken"],
    ]);
    expect((await b.audited()).at(-1)).toBe("operator:1f2e3d4c policy-confirmed");
  });

  it("the operator sees, and the audit log has, how many sessions an older text would end", async () => {
    const [a, b] = await twoFollowers(documentOf({ lifetime: 20 * MINUTE_MS }));
    await a.save(documentOf({}));
    await a.issued(30 * MINUTE_MS);
    await b.start();
    expect(await b.state()).toEqual([2, "behind", 1]);
    await a.issued(30 * MINUTE_MS);
    await b.save("plans: [");
    await b.save(documentOf({ lifetime: 20 * MINUTE_MS }));
    expect(await b.state()).toEqual([2, "behind", 2]);
    const hash = await b.heldHash();
    await b.start();
    // Nobody has looked since: it is counted for the confirmation.
    await b.service.confirm(hash, "operator:1");
    const [entry] = await b.store.audit.auditBefore(undefined, 1);
    expect(entry).toMatchObject({ action: "policy-confirmed", details: { generation: 3, sessions: 2 } });
  });

  it("a control plane with a store of its own takes an older text that it finds at its start", async () => {
    const [a] = await followers(text(1));
    if (a === undefined) throw new Error("not started");
    await a.save(text(2));
    const alone = await new SavedPolicies(a.store).start(text(1));
    expect(await alone.state()).toEqual([3, "taken", undefined]);
  });
});

describe("a policy that is held at two control planes", () => {
  const heldAtBoth = async (): Promise<[Follower, Follower]> => {
    const [a, b] = await twoFollowers(documentOf({}));
    await a.issued(10 * MINUTE_MS);
    await a.save(WRONG_UNIT);
    await b.save(WRONG_UNIT);
    expect([await a.state(), await b.state()]).toEqual([
      [1, "held", 1],
      [1, "held", 1],
    ]);
    return [a, b];
  };

  it("a held policy confirmed at either is in force at both, and held at neither", async () => {
    const [a, b] = await heldAtBoth();
    await a.service.confirm(await a.heldHash(), "operator:1");
    await b.look();
    expect([await a.state(), await b.state()]).toEqual([
      [2, "taken", undefined],
      [2, "taken", undefined],
    ]);
  });

  it("a held policy confirmed at both at one moment is one generation", async () => {
    const [a, b] = await heldAtBoth();
    const hash = await a.heldHash();
    const both = await Promise.all([a, b].map(({ service }) => service.confirm(hash, "operator:1")));
    expect(both.map((one) => one.outcome === "published" && one.generation)).toEqual([2, 2]);
    expect(await generations(a)).toBe(2);
  });

  it("a file mended at one stays held at the other until it is mended there too", async () => {
    const [a, b] = await heldAtBoth();
    await a.save(text(2));
    await b.look();
    expect(await b.state()).toEqual([2, "held", 1]);
    await b.save(text(2));
    expect([await b.state(), await generations(b)]).toEqual([[2, "taken", undefined], 2]);
  });

  it("it is published while the other's file is old yet, and that one's start changes nothing", async () => {
    const [a, b] = await twoFollowers(documentOf({}));
    await a.issued(10 * MINUTE_MS);
    await a.save(WRONG_UNIT);
    await a.service.confirm(await a.heldHash(), "operator:1");
    await b.start();
    expect(await b.state()).toEqual([2, "behind", 0]);
    await b.save(WRONG_UNIT);
    expect([await b.state(), await generations(b)]).toEqual([[2, "taken", undefined], 2]);
  });
});

describe("another's decision that comes into force while one here is being noted", () => {
  it("a policy that is held meanwhile is no longer held", async () => {
    const [a, b] = await twoFollowers(documentOf({}));
    await a.issued(10 * MINUTE_MS);
    await a.save(WRONG_UNIT);
    const append = b.store.audit.appendAudit.bind(b.store.audit);
    vi.spyOn(b.store.audit, "appendAudit").mockImplementationOnce(async (event) => {
      await a.service.confirm(await a.heldHash(), "operator:1");
      await b.look();
      await append(event);
    });
    await b.save(WRONG_UNIT);
    expect(await b.state()).toEqual([2, "taken", undefined]);
  });

  it("a text that was in force a moment ago is behind, and is so when it is saved again", async () => {
    const [a, b] = await twoFollowers(text(1));
    const real = b.store.policies.savePolicy.bind(b.store.policies);
    vi.spyOn(b.store.policies, "savePolicy").mockImplementationOnce(async (...given) => {
      const isSaved = await real(...given);
      await a.save(text(3));
      await b.look();
      return isSaved;
    });
    await b.save(text(2));
    expect(await b.shows()).toEqual([3, 3, "behind"]);
    await b.save(text(2));
    expect(await generations(b)).toBe(3);
  });
});

describe("a policy that is rejected at one control plane", () => {
  it("a policy rejected here that another control plane can take is in force here too", async () => {
    const [a, b] = await twoFollowers(documentOf({}));
    const withoutGold = documentOf({}).replace(/.*"id":1.*\n/, "");
    await a.issued(MINUTE_MS, "gold");
    await a.save(withoutGold);
    expect(await a.state()).toEqual([1, "rejected", undefined]);
    vi.spyOn(b.store, "countLive").mockResolvedValueOnce(0);
    await b.save(withoutGold);
    await a.look();
    expect(await a.state()).toEqual([2, "taken", undefined]);
  });

  it("what this version cannot read is said once, and the policy before it serves here", async () => {
    const [a, b] = await twoFollowers(text(1));
    await a.store.policies.savePolicy({ ...LATER, generation: 2 }, 1);
    for (let at = 0; at < 3; at++) {
      await b.look();
      expect(await b.save(text(3))).toBe(false);
    }
    expect([(await b.shows()).slice(0, 2), await generations(b)]).toEqual([[1, 1], 2]);
    expect(b.logged("policy-take-failed")).toHaveLength(1);
  });

  it("a start beside a later version serves the older policy of its file, and decides nothing", async () => {
    const [a] = await followers(text(1));
    if (a === undefined) throw new Error("not started");
    await a.save(text(2));
    await a.store.policies.savePolicy({ ...LATER, generation: 3 }, 2);
    const old = await new Follower(a.store).start(text(2));
    expect([(await old.shows()).slice(0, 2), await generations(a)]).toEqual([[2, 2], 3]);
    expect(old.isTaken).toBe(false);
  });
});

const LATER = { policyJson: "of a later version", hash: "", atMs: null, source: null };

describe("a shared store that is away", () => {
  it("a store that is away is named once, and once it answers the newer policy is taken", async () => {
    const [a, b] = await twoFollowers(text(1));
    await a.save(text(2));
    const newest = vi.spyOn(b.store.policies, "newestGeneration").mockRejectedValue(new Error("no route to the store"));
    for (let at = 0; at < 3; at++) await b.look();
    expect([(await b.shows()).slice(0, 2), b.logged("policy-store-failed").length]).toEqual([[1, 1], 1]);
    newest.mockRestore();
    await b.look();
    expect((await b.shows()).slice(0, 2)).toEqual([2, 2]);
  });

  it("a text saved meanwhile, that others have decided on and replaced, is not published late", async () => {
    const [a, b] = await twoFollowers(text(1));
    const newest = vi.spyOn(b.store.policies, "newestGeneration").mockRejectedValueOnce(new Error("no route"));
    expect(await b.save(text(2))).toBe(false);
    newest.mockRestore();
    await a.save(text(2));
    await a.save(text(3));
    expect(await b.save(text(2))).toBe(true);
    expect([await b.shows(), await generations(b)]).toEqual([[3, 3, "behind"], 3]);
  });

  it("a look that is under way when the control plane stops is waited for, and none follows", async () => {
    const [a, b] = await twoFollowers(text(1));
    let answer = (_generation: number): void => undefined;
    const slow = new Promise<number>((resolve) => (answer = resolve));
    const newest = vi.spyOn(a.store.policies, "newestGeneration").mockReturnValueOnce(slow);
    await b.look();
    const over = vi.fn();
    const stopped = b.service.stop().then(over);
    await settled();
    expect(over).not.toHaveBeenCalled();
    answer(1);
    await stopped;
    const asked = newest.mock.calls.length;
    await b.look();
    expect(newest.mock.calls.length).toBe(asked);
  });

  it("a look that reads the store slowly puts no older policy in force over a newer one", async () => {
    const [a, b] = await twoFollowers(text(1));
    await a.save(text(2));
    const real = b.store.policies.policy.bind(b.store.policies);
    let goOn = (): void => undefined;
    const may = new Promise<void>((resolve) => (goOn = resolve));
    vi.spyOn(b.store.policies, "policy").mockImplementationOnce(async (generation) => {
      await may;
      return real(generation);
    });
    await b.look();
    await b.save(text(3));
    expect(await b.shows()).toEqual([3, 3, "taken"]);
    goOn();
    await settled();
    expect(await b.shows()).toEqual([3, 3, "taken"]);
  });
});
