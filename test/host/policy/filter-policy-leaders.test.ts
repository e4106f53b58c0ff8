// Two workers that both think they lead, one of which sleeps between two host calls: between any two that there are.
import { beforeAll, describe, expect, it } from "vitest";
import { LEADER_LEASE_MS, TICK_MS } from "../../../assembly/contract.js";
import type { Callout } from "../harness/host/callouts.js";
import { bellOf, logCursorOf, policyBytesOf } from "../harness/scenes/edge-keys.js";
import { LOG, OTHER_LOG, plan, policy, watchAnswer } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { suspendableFilterModule } from "../harness/builds/filter-modules.js";
import { run, type Steps } from "../harness/host/guest.js";
import type { HostCall } from "../harness/host/host-calls.js";
import { generations, headersOf, policyHash, runs, type Offered } from "../harness/scenes/policy-offer.js";
import { passUnder } from "../harness/scenes/policy-plane.js";

const [seven, eight, nine] = [7, 8, 9].map((maxTokens) => policy({ plans: [plan({ maxTokens })] }));

let module: WebAssembly.Module;
beforeAll(() => {
  module = suspendableFilterModule();
});

/** Two workers on generation 7, each with a watch of its own out: the first one's lease has ended meanwhile. */
function twoLeaders(withLog = true): { edge: Edge; old: Callout; fresh: Callout } {
  const edge = new Edge({ policy: null, workers: 2, module });
  edge.flush();
  if (withLog) edge.watch.answer(200, watchAnswer({ cursor: 41 }));
  run(offerSteps(edge.watch, seven, { generation: 7 }));
  edge.passMs(TICK_MS);
  const old = edge.watch;
  edge.clock.advanceMs(LEADER_LEASE_MS + TICK_MS);
  edge.worker(1).tick();
  const fresh = edge.watches.at(-1);
  if (fresh === undefined || fresh === old) throw new Error("the second worker does not lead");
  return { edge, old, fresh };
}

function offerSteps(watch: Callout, document: object | undefined, offered: Offered): Steps<void> {
  const text = JSON.stringify(document);
  return watch.answerSteps(200, text, headersOf(text, offered));
}

/** Does so many steps. Returns whether there are more. */
function advance(steps: Steps<void>, count: number): boolean {
  for (let i = 0; i < count; i++) if (steps.next().done === true) return false;
  return true;
}

function expectAgreement(edge: Edge, generation: number, document: object | undefined, log = LOG): void {
  const text = JSON.stringify(document);
  const name = { log, generation, hash: policyHash(text) };
  expect(bellOf(edge.host.sharedData)).toMatchObject(name);
  expect(policyBytesOf(edge.host.sharedData)).toEqual({ ...name, text });
  for (const worker of edge.workers) expect(worker.failure).toBeUndefined();
}

/** For every number of host calls after which the first sleeps. */
function forEverySleep(scene: (calls: number) => boolean): void {
  let calls = 0;
  while (scene(calls)) calls++;
  expect(calls, "host calls of the first").toBeGreaterThan(8);
}

/** Before which of its host calls a leader that takes a policy is about to write: where what it has read is oldest. */
function writesOfLeader(): number[] {
  const { edge, old } = twoLeaders();
  const [steps, writes] = [offerSteps(old, nine, { generation: 9 }), new Set<number>()];
  let calls = 0;
  const isWrite = (call: HostCall): boolean => call.name === "proxy_set_shared_data";
  edge.host.hooks.each("before", isWrite, () => writes.add(calls));
  while (steps.next().done !== true) calls++;
  expect(writes.size, "writes of a leader").toBeGreaterThan(3);
  return [...writes];
}

/** The other makes its host calls before and after: every way to divide them, for each host call of the first. */
function forEveryParting(scene: (calls: number, meanwhile: number) => boolean): void {
  for (const calls of writesOfLeader()) {
    let meanwhile = 0;
    while (scene(calls, meanwhile)) meanwhile++;
  }
}

describe("a leader that sleeps while another takes a higher generation", () => {
  it("a sleeping leader leaves the bytes and bell of a higher generation in force", () => {
    forEverySleep((calls) => {
      const { edge, old, fresh } = twoLeaders();
      const sleeping = offerSteps(old, eight, { generation: 8 });
      const more = advance(sleeping, calls);
      run(offerSteps(fresh, nine, { generation: 9 }));
      run(sleeping);
      expectAgreement(edge, 9, nine);
      edge.passMs(2 * TICK_MS);
      expect(generations(edge), `asleep after ${calls} calls`).toEqual([9, 9]);
      return more;
    });
  });

  it("a higher generation is in force where it comes half before and half after", () => {
    forEveryParting((calls, meanwhile) => {
      const { edge, old, fresh } = twoLeaders();
      const [low, high] = [offerSteps(old, eight, { generation: 8 }), offerSteps(fresh, nine, { generation: 9 })];
      advance(low, calls);
      const more = advance(high, meanwhile);
      run(low);
      run(high);
      expectAgreement(edge, 9, nine);
      edge.passMs(2 * TICK_MS);
      expect(generations(edge), `asleep after ${calls} and ${meanwhile} calls`).toEqual([9, 9]);
      return more;
    });
  });

  it("two leaders with the same generation leave bytes and bell in force", () => {
    forEverySleep((calls) => {
      const { edge, old, fresh } = twoLeaders();
      const sleeping = offerSteps(old, nine, { generation: 9 });
      const more = advance(sleeping, calls);
      run(offerSteps(fresh, nine, { generation: 9 }));
      run(sleeping);
      expectAgreement(edge, 9, nine);
      edge.passMs(2 * TICK_MS);
      expect(generations(edge), `asleep after ${calls} calls`).toEqual([9, 9]);
      return more;
    });
  });
});

describe("a leader of the log before a restore that wakes up", () => {
  it("a leader of the old log changes nothing after the new log's policy has come", () => {
    forEverySleep((calls) => {
      const { edge, old, fresh } = twoLeaders();
      const sleeping = offerSteps(old, nine, { generation: 9 });
      const more = advance(sleeping, calls);
      run(offerSteps(fresh, eight, { generation: 3, log: OTHER_LOG }));
      const logCursor = logCursorOf(edge.host.sharedData);
      expect(logCursor?.seenLog).toBe(OTHER_LOG);
      run(sleeping);
      expect(logCursorOf(edge.host.sharedData), `asleep after ${calls} calls`).toEqual(logCursor);
      expectAgreement(edge, 3, eight, OTHER_LOG);
      edge.passMs(2 * TICK_MS);
      expect(runs(edge), `asleep after ${calls} calls`).toMatchObject([{ generation: 3 }, { generation: 3 }]);
      return more;
    });
  });

  it("a leader of the old log changes nothing where both take host calls in turn", () => {
    forEveryParting((calls, meanwhile) => {
      const { edge, old, fresh } = twoLeaders();
      const former = offerSteps(old, nine, { generation: 9 });
      const restored = offerSteps(fresh, eight, { generation: 3, log: OTHER_LOG });
      advance(former, calls);
      const more = advance(restored, meanwhile);
      run(former);
      run(restored);
      passUnder(edge, { log: OTHER_LOG, generation: 3, policy: eight ?? {} }, 500);
      expect(logCursorOf(edge.host.sharedData)?.seenLog, `asleep after ${calls} and ${meanwhile}`).toBe(OTHER_LOG);
      expectAgreement(edge, 3, eight, OTHER_LOG);
      expect(generations(edge)).toEqual([3, 3]);
      return more;
    });
  });

  it("an edge that had no log yet comes right within half a second", () => {
    forEverySleep((calls) => {
      const { edge, old, fresh } = twoLeaders(false);
      const sleeping = offerSteps(old, nine, { generation: 9 });
      const more = advance(sleeping, calls);
      run(offerSteps(fresh, eight, { generation: 3, log: OTHER_LOG }));
      run(sleeping);
      passUnder(edge, { log: OTHER_LOG, generation: 3, policy: eight ?? {} }, 500);
      expectAgreement(edge, 3, eight, OTHER_LOG);
      expect(generations(edge), `asleep after ${calls} calls`).toEqual([3, 3]);
      return more;
    });
  });
});

describe("a leader that dies between any two host calls", () => {
  it("a leader that dies loses nothing: the next one asks again for the policy", () => {
    forEverySleep((calls) => {
      const { edge, old } = twoLeaders();
      const dying = offerSteps(old, nine, { generation: 9 });
      const more = advance(dying, calls);
      edge.reload(0);
      passUnder(edge, { generation: 9, policy: nine ?? {} }, LEADER_LEASE_MS + 1000);
      expect(bellOf(edge.host.sharedData)).toMatchObject({ generation: 9, hash: policyHash(JSON.stringify(nine)) });
      const state = Object.values(bellOf(edge.host.sharedData)?.results ?? {});
      // In the middle of its try it is taken to have trapped: then all go on as before.
      if (state[0] === "trapped") expect(generations(edge)).toEqual([7, 7]);
      else expect(generations(edge), `dead after ${calls} calls`).toEqual([9, 9]);
      return more;
    });
  });
});

describe("a restored backup", () => {
  it("a restored lower generation is followed: first its log, then bytes, then bell", () => {
    const { edge, fresh } = twoLeaders();
    const written: string[] = [];
    edge.host.hooks.each(
      "after",
      (call) => call.name === "proxy_set_shared_data",
      () => {
        const { sharedData } = edge.host;
        const logs = [logCursorOf(sharedData)?.seenLog, policyBytesOf(sharedData)?.log, bellOf(sharedData)?.log];
        written.push(logs.map((log) => (log === OTHER_LOG ? "new" : "old")).join(" "));
      },
    );
    run(offerSteps(fresh, eight, { generation: 3, log: OTHER_LOG }));
    expect([...new Set(written)]).toEqual(["new old old", "new new old", "new new new"]);
    edge.passMs(2 * TICK_MS);
    expect(generations(edge)).toEqual([3, 3]);
  });

  it("a restored backup makes the next watch begin a reset, from the edge's log", () => {
    const { edge, fresh } = twoLeaders();
    run(offerSteps(fresh, eight, { generation: 3, log: OTHER_LOG }));
    const next = edge.watches.at(-1);
    expect(next?.json).toMatchObject({ log: LOG, since: 41, policy: { log: OTHER_LOG, generation: 3, state: "ok" } });
    next?.answer(200, JSON.stringify({ reset: true, log: OTHER_LOG, cursor: 900 }));
    edge.passMs(TICK_MS);
    expect(logCursorOf(edge.host.sharedData)).toEqual({ log: OTHER_LOG, cursor: 900, seenLog: OTHER_LOG, seen: 900 });
  });
});
