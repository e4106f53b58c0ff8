// One VM tries a policy before the others take it: what each result means for each VM, also where the VM that tries stands
// still or goes.
import { beforeAll, describe, expect, it } from "vitest";
import { LEADER_LEASE_MS, MAX_VIOLATIONS_BYTES, TICK_MS, TRY_DEADLINE_MS } from "../../../assembly/contract.js";
import { bellOf, isBellKey } from "../harness/scenes/edge-keys.js";
import type { Edge } from "../harness/scenes/edge.js";
import { plan, policy } from "../harness/scenes/documents.js";
import { suspendableFilterModule } from "../harness/builds/filter-modules.js";
import { run, type Steps } from "../harness/host/guest.js";
import {
  countPolicyReads,
  edgeFollowing,
  generations,
  headersOf,
  policyInWatch,
  newestWatch,
  offer,
} from "../harness/scenes/policy-offer.js";

const five = policy({ plans: [plan({ maxTokens: 5 })] });
const six = policy({ plans: [plan({ maxTokens: 6 })] });
const bad = policy({ plans: [plan({ maxTokens: 0 })] });

let module: WebAssembly.Module;
beforeAll(() => {
  module = suspendableFilterModule();
});

const following = (document = five, workers = 3): Edge => edgeFollowing(document, 7, { workers, module });

function stateOf(edge: Edge): string | undefined {
  return Object.values(bellOf(edge.host.sharedData)?.results ?? {})[0];
}

/** The leader is given a policy, and stops in the middle of its try: after the bell says so. */
function stopInTry(edge: Edge, document = six, generation = 8): Steps<void> {
  const text = JSON.stringify(document);
  const steps = edge.watch.answerSteps(200, text, headersOf(text, { generation }));
  while (stateOf(edge) !== "trying") if (steps.next().done === true) throw new Error("it does not try");
  return steps;
}

describe("one VM of a build tries a policy", () => {
  it("other VMs read a policy once, and only after it was accepted", () => {
    const edge = following();
    const reads = countPolicyReads(edge);
    const stopped = stopInTry(edge);
    const before = reads.get(edge.worker(0)) ?? 0;
    for (const worker of [1, 2]) edge.worker(worker).tick();
    expect([...reads]).toEqual([[edge.worker(0), before]]);
    run(stopped);
    edge.passMs(1000);
    expect(edge.workers.map((worker) => reads.get(worker))).toEqual([before + 1, 1, 1]);
    expect(generations(edge)).toEqual([8, 8, 8]);
  });

  it("any VM tries a policy where the leader goes after it rang the bell", () => {
    const edge = following();
    const text = JSON.stringify(six);
    const dying = edge.watch.answerSteps(200, text, headersOf(text, { generation: 8 }));
    while (bellOf(edge.host.sharedData)?.generation !== 8) dying.next();
    expect(stateOf(edge)).toBeUndefined();
    edge.reload(0);
    edge.worker(2).tick();
    expect(stateOf(edge)).toBe("ok");
    edge.passMs(TICK_MS);
    expect(generations(edge)).toEqual([8, 8, 8]);
  });

  it("one of two VMs that see a policy together tries it; the other reads no bytes", () => {
    const edge = following();
    const text = JSON.stringify(six);
    const dying = edge.watch.answerSteps(200, text, headersOf(text, { generation: 8 }));
    while (bellOf(edge.host.sharedData)?.generation !== 8) dying.next();
    const reads = countPolicyReads(edge);
    const writesBell = edge.host.hooks;
    writesBell.once(
      "before",
      (call) => call.vm === edge.worker(1) && call.name === "proxy_set_shared_data" && isBellKey(call.key),
      () => {
        edge.worker(2).tick();
        reads.delete(edge.worker(2));
      },
    );
    edge.worker(1).tick();
    expect(writesBell.waiting).toBe(0);
    expect(reads.get(edge.worker(1))).toBeUndefined();
    expect(stateOf(edge)).toBe("ok");
  });
});

describe("a VM that does not come back from its try", () => {
  it("a VM is taken to have trapped when its second is over, not before", () => {
    const edge = following();
    stopInTry(edge);
    edge.clock.advanceMs(TRY_DEADLINE_MS - 1);
    edge.worker(1).tick();
    expect(stateOf(edge)).toBe("trying");
    edge.clock.advanceMs(1);
    edge.worker(1).tick();
    expect(stateOf(edge)).toBe("trapped");
  });

  it("a policy whose try did not end stays untried, and the next leader reports it", () => {
    const edge = following();
    stopInTry(edge);
    edge.reload(0);
    const reads = countPolicyReads(edge);
    edge.passMs(LEADER_LEASE_MS + TRY_DEADLINE_MS + 1000);
    edge.reload(2);
    edge.passMs(1000);
    expect(reads.size).toBe(0);
    expect(policyInWatch(newestWatch(edge))).toMatchObject({ generation: 8, state: "trapped" });
    expect(generations(edge)).toEqual([7, 7, 7]);
  });
});

describe("a VM that only stood still in the middle of its try", () => {
  it("a stalled VM gives its result later, and the policy comes into force everywhere", () => {
    const edge = following();
    const stopped = stopInTry(edge);
    edge.clock.advanceMs(5000);
    for (const worker of [1, 2]) edge.worker(worker).tick();
    expect(stateOf(edge)).toBe("trapped");
    run(stopped);
    expect(stateOf(edge)).toBe("ok");
    edge.passMs(TICK_MS);
    expect(generations(edge)).toEqual([8, 8, 8]);
    expect(policyInWatch(newestWatch(edge))).toMatchObject({ generation: 8, state: "ok" });
  });

  it("a stalled VM is not missed where another worker runs the very policy", () => {
    const edge = following(five, 2);
    offer(edge.watch, six, { generation: 8 });
    stopInTry(edge, five, 9);
    edge.reload(0);
    edge.worker(1).tick();
    expect(stateOf(edge)).toBe("ok");
    edge.passMs(TICK_MS);
    expect(generations(edge)).toEqual([9, 9]);
  });

  it("a stalled VM gives no result for a replaced policy, and takes the new one", () => {
    const edge = following();
    const stopped = stopInTry(edge);
    edge.clock.advanceMs(LEADER_LEASE_MS + TICK_MS);
    edge.worker(1).tick();
    offer(newestWatch(edge), bad, { generation: 9 });
    run(stopped);
    expect(stateOf(edge)).toBe("rejected");
    edge.passMs(TICK_MS);
    expect(generations(edge)).toEqual([7, 7, 7]);
  });
});

describe("a policy that was rejected", () => {
  it("a rejected policy is read by one VM once, also when VMs and settings change", () => {
    const edge = following();
    const reads = countPolicyReads(edge);
    offer(edge.watch, bad, { generation: 8 });
    edge.passMs(1000);
    edge.reload(1);
    edge.reload(2);
    edge.passMs(30_000);
    expect([...reads]).toEqual([[edge.worker(0), 2]]);
    expect(generations(edge)).toEqual([7, 7, 7]);
    expect(policyInWatch(newestWatch(edge))).toMatchObject({ generation: 8, state: "rejected" });
  });

  it("a rejected policy is reported by the next leader with the reasons of its try", () => {
    const edge = following();
    offer(edge.watch, bad, { generation: 8 });
    const reported = policyInWatch(newestWatch(edge));
    edge.reload(0);
    edge.passMs(LEADER_LEASE_MS + 1000);
    expect(policyInWatch(newestWatch(edge))).toEqual(reported);
    expect(reported?.violations).toHaveLength(1);
  });

  it.each([
    ["100 plans that are wrong", policy({ plans: Array.from({ length: 150 }, (_, id) => plan({ id, name: "ÄÖÜ" })) })],
    [
      "100 unknown fields with long names in Chinese",
      policy(Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`${"限流".repeat(60)}${i}`, 1]))),
    ],
    [
      "names of emojis, quotes and control characters",
      policy(Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`\u{1f6a6}"\\\u0001\n${i}`, 1]))),
    ],
    ["a name that is half a character", policy({ ["x\ud83d"]: 1 })],
    ["a name longer than all that may be said", policy({ ["y".repeat(10_000)]: 1 })],
  ])("a policy rejected for %s is reported as JSON of at most 4 KiB", (_what, document) => {
    const edge = following();
    offer(edge.watch, document, { generation: 8 });
    const body = newestWatch(edge).body;
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    const said = (JSON.parse(text) as { policy: { state: string; violations: { path: string; message: string }[] } })
      .policy;
    expect(said.state).toBe("rejected");
    expect(said.violations.length).toBeGreaterThan(0);
    expect(said.violations[0]?.message).not.toBe("");
    expect(Buffer.byteLength(JSON.stringify(said.violations))).toBeLessThanOrEqual(MAX_VIOLATIONS_BYTES);
    expect(edge.worker(0).failure).toBeUndefined();
  });
});
