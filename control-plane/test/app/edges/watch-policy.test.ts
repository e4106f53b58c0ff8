// The policy on the watch: who is given it, when, and how a change reaches thousands of held calls.
import { describe, expect, it } from "vitest";

import type { Watched, WatchRequest } from "../../../src/app/ports/watch-ports.js";
import { MemoryLog } from "../../../src/store/memory/invalidation-log.js";
import {
  answerOf,
  received,
  nobodyHangsUp,
  POLICY,
  request,
  saying,
  settled,
  T0,
  watchesOver,
  watchingMemory,
} from "../../support/watching.js";

const OTHER_LOG = "f".repeat(16);

const generationOf = (watched: Watched | undefined): number | undefined =>
  watched?.outcome === "policy" ? watched.offer.policy.generation : undefined;

function scene() {
  const one = watchingMemory();
  const { watches, policies } = one;
  const watch = (fields: Partial<WatchRequest> = {}): Promise<Watched> =>
    watches.watch(request(fields), nobodyHangsUp());
  const save = (generation: number): void => {
    policies.put({ generation, policy: { ...POLICY, sessions: { cleanupInterval: 1000 + generation } } });
  };
  return { ...one, watch, save };
}

describe("an edge is given the policy", () => {
  it("an edge's first watch gets the policy, before the edge follows any log", async () => {
    const { watch, policies, outcomes } = scene();
    const answer = await watch({ log: undefined, policy: undefined });
    const policy = policies.published("gw-1");
    expect(answer).toEqual({ outcome: "policy", offer: { log: new MemoryLog().id, policy, reportSpreadMs: 4 } });
    expect(outcomes).toEqual(["policy"]);
  });

  it("a watch gets the policy before a reset, which comes with the next watch", async () => {
    const { watch } = scene();
    const anew = { log: OTHER_LOG, since: 7 };
    expect(generationOf(await watch({ ...anew, policy: received(9, { log: OTHER_LOG }) }))).toBe(1);
    expect(await watch({ ...anew, policy: received(1) })).toMatchObject({ answer: { reset: true } });
  });

  it("a watch gets the policy before invalidations, and keeps its cursor for them", async () => {
    const { watch, log } = scene();
    log.append("revoked", "a", T0);
    expect(generationOf(await watch({ policy: undefined }))).toBe(1);
    expect(await watch({ policy: received(1, { state: "offered" }) })).toEqual(saying(1, ["a"]));
  });

  it("a watch gets the policy of a restored store, though it names a higher generation", async () => {
    const { watch } = scene();
    expect(generationOf(await watch({ policy: received(41, { log: OTHER_LOG }) }))).toBe(1);
  });

  it.each(["offered", "trying", "ok", "rejected", "trapped"])(
    "a policy is given once: not again while the watch says %s",
    async (state) => {
      const { watch, save } = scene();
      const held = watch({ policy: received(1, { state }) });
      expect(await answerOf(held)).toBeUndefined();
      save(2);
      expect(generationOf(await answerOf(held))).toBe(2);
    },
  );

  it("a watch gets the policy also when no more watches are held", async () => {
    const { watches, policies, watch } = scene();
    await watches.stop();
    policies.put({ generation: 2, policy: POLICY });
    expect(await watch()).toMatchObject({ outcome: "policy" });
  });
});

describe("an edge is given no policy", () => {
  it("an edge whose settings follow no policy is given none, before and after a change", async () => {
    const { watch, save } = scene();
    const held = watch({ follow: false, policy: undefined });
    save(2);
    expect(await answerOf(held)).toBeUndefined();
  });

  it("a filter that names no format of policies is given none", async () => {
    const { watch, save } = scene();
    const held = watch({ filter: undefined, policy: undefined });
    save(2);
    expect(await answerOf(held)).toBeUndefined();
  });

  it("no policy is given before there is one", async () => {
    const { watch, policies } = scene();
    policies.put(undefined);
    expect(await answerOf(watch({ policy: undefined }))).toBeUndefined();
  });

  it("an edge with a higher generation of this log makes the store be read, and gets no policy", async () => {
    const { watch, policies } = scene();
    const held = watch({ policy: received(5) });
    expect(await answerOf(held)).toBeUndefined();
    expect(policies.shownGenerations).toEqual([5]);
    await answerOf(watch({ edge: "gw-2", policy: received(8, { log: OTHER_LOG }) }));
    expect(policies.shownGenerations).toEqual([5]);
  });
});

describe("a newer watch of an instance", () => {
  it("a newer watch replaces the held one at once, so that an edge's news is not delayed", async () => {
    const { watch, outcomes, watches, instances } = scene();
    const older = watch({ policy: received(1, { state: "trying" }) });
    await settled();
    const newer = watch({ policy: received(1, { state: "rejected" }) });
    expect([await answerOf(older), await answerOf(newer)]).toEqual([saying(0, []), undefined]);
    expect([watches.heldCount(), outcomes]).toEqual([1, ["replaced"]]);
    expect(instances.known(0)[0]?.lastWatch?.policy?.state).toBe("rejected");
  });

  it("a newer watch replaces the held one also where it is answered at once itself", async () => {
    const { watch, outcomes, watches } = scene();
    const older = watch();
    await settled();
    expect(await watch({ log: OTHER_LOG })).toMatchObject({ answer: { reset: true } });
    expect([await older, watches.heldCount(), outcomes]).toEqual([saying(0, []), 0, ["replaced", "reset"]]);
  });
});

describe("a change of the policy", () => {
  /** So many held watches, and turns that come when the test says so. */
  async function many(count: number) {
    const turns: (() => void)[] = [];
    const nextTurn = (): Promise<void> => new Promise((resolve) => turns.push(resolve));
    const one = watchesOver(new MemoryLog(), count, nextTurn);
    const answers = Array.from({ length: count }, (_, i) =>
      one.watches.watch(request({ edge: `gw-${i}` }), nobodyHangsUp()),
    );
    await settled();
    const turn = async (): Promise<void> => {
      turns.shift()?.();
      await settled();
    };
    return { ...one, answers, turn };
  }

  it("a change of the policy answers held watches in turns, and lets other work in between", async () => {
    const { policies, watches, turn } = await many(250);
    policies.put({ generation: 2, policy: POLICY });
    await settled();
    expect(watches.heldCount()).toBe(150);
    await turn();
    expect(watches.heldCount()).toBe(50);
    await turn();
    expect(watches.heldCount()).toBe(0);
  });

  it("a change of the policy gives all held watches one buffer", async () => {
    const { policies, answers, turn } = await many(250);
    policies.put({ generation: 2, policy: POLICY });
    for (let i = 0; i < 3; i++) await turn();
    const given = await Promise.all(answers);
    const buffers = new Set(given.map((one) => (one.outcome === "policy" ? one.offer.policy.bytes : undefined)));
    expect([...buffers]).toEqual([policies.published("gw-1")?.bytes]);
  });

  it("a change during another reaches every waiting edge, with the newest policy only", async () => {
    const { policies, answers, turn, watches } = await many(250);
    policies.put({ generation: 2, policy: POLICY });
    await settled();
    policies.put({ generation: 3, policy: POLICY });
    const again = watches.watch(request({ edge: "gw-0", policy: received(2) }), nobodyHangsUp());
    for (let i = 0; i < 4; i++) await turn();
    const generations = (await Promise.all(answers)).map(generationOf);
    expect([generations.filter((one) => one === 2).length, generations.filter((one) => one === 3).length]).toEqual([
      100, 150,
    ]);
    expect(generationOf(await again)).toBe(3);
  });

  it("a watch that replaced another between two turns is left alone", async () => {
    const { policies, watches, answers, turn } = await many(150);
    policies.put({ generation: 2, policy: POLICY });
    await settled();
    const newer = watches.watch(request({ edge: "gw-149", policy: received(2) }), nobodyHangsUp());
    await turn();
    expect([await answerOf(newer), generationOf(await answers[149])]).toEqual([undefined, undefined]);
    expect(watches.heldCount()).toBe(1);
  });

  it("a stop during a change answers the watches that are left with their cursors", async () => {
    const { policies, watches, answers, turn } = await many(150);
    policies.put({ generation: 2, policy: POLICY });
    await settled();
    await watches.stop();
    await turn();
    expect((await Promise.all(answers)).filter(({ outcome }) => outcome === "answered")).toHaveLength(50);
  });
});

describe("the time over which workers spread their reports", () => {
  it("the spread of reports grows with the number of edges, up to the reportInterval", async () => {
    const { watch, instances } = scene();
    const spread = async (): Promise<number | undefined> => {
      const answer = await watch({ policy: undefined });
      return answer.outcome === "policy" ? answer.offer.reportSpreadMs : undefined;
    };
    expect(await spread()).toBe(4);
    const edges = (count: number): void => {
      for (let i = 0; i < count; i++) instances.acquired({ edge: `gw-${i + 2}`, instance: "0".repeat(16) });
    };
    edges(999);
    expect(await spread()).toBe(4000);
    edges(9999);
    expect(await spread()).toBe(POLICY.controlPlane.reportInterval);
  });
});
