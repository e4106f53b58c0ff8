// Two builds of the filter in one Envoy, as while its code is replaced: they share the session table and the policy, and
// each finds for itself what it can take.
import { beforeAll, describe, expect, it } from "vitest";
import { LEADER_LEASE_MS, TICK_MS } from "../../../assembly/contract.js";
import { bellOf } from "../harness/scenes/edge-keys.js";
import { plan, policy, settings } from "../harness/scenes/documents.js";
import type { Edge } from "../harness/scenes/edge.js";
import { COMPILE_TIMEOUT_MS, buildWord, changedFilter, withBuildId } from "../harness/builds/filter-builds.js";
import { filterBytes } from "../harness/builds/filter-modules.js";
import {
  countPolicyReads,
  edgeWithoutPolicy,
  generations,
  policyInWatch,
  newestWatch,
  offer,
} from "../harness/scenes/policy-offer.js";
import type { Vm } from "../harness/host/vm.js";

const [FIRST, SECOND, STRICT] = [0x0101n, 0x0202n, 0x0303n];
const five = policy({ plans: [plan({ maxTokens: 5 })] });
/** What the strict build rejects, as one would that knows a field less. */
const gold = policy({ plans: [plan({ name: "gold" })] });

let first: WebAssembly.Module;
let second: WebAssembly.Module;
let strict: WebAssembly.Module;
beforeAll(async () => {
  first = withBuildId(filterBytes("release"), FIRST);
  second = withBuildId(filterBytes("release"), SECOND);
  const find = "plan.name = name.string(isName, EXPECTED_NAME, plan.name);";
  const by = `${find} if (plan.name == "gold") name.reject("a name that this build knows");`;
  strict = await changedFilter([{ file: "policy/plans.ts", find, by }], STRICT);
}, COMPILE_TIMEOUT_MS);

/** A worker of the first build, which leads, and one of another. */
function mixed(other: WebAssembly.Module): { edge: Edge; added: Vm } {
  const edge = edgeWithoutPolicy({ module: first });
  edge.flush();
  return { edge, added: edge.addWorker(settings(undefined), other) };
}

function results(edge: Edge): Readonly<Record<string, string>> | undefined {
  return bellOf(edge.host.sharedData)?.results;
}

describe("two builds of the filter in one Envoy", () => {
  it("two builds try a policy once each, and both run it", () => {
    const { edge, added } = mixed(second);
    const reads = countPolicyReads(edge);
    offer(edge.watch, five, { generation: 7 });
    expect(results(edge)).toEqual({ [buildWord(FIRST)]: "ok" });
    edge.passMs(500);
    expect(results(edge)).toEqual({ [buildWord(FIRST)]: "ok", [buildWord(SECOND)]: "ok" });
    expect(reads.get(added)).toBe(1);
    expect(generations(edge)).toEqual([7, 7]);
  });

  it("two builds come to rest: neither writes the bell nor sends another watch", () => {
    const { edge } = mixed(strict);
    offer(edge.watch, gold, { generation: 7 });
    edge.passMs(500);
    const [bell, sent] = [bellOf(edge.host.sharedData), edge.watches.length];
    const reads = countPolicyReads(edge);
    edge.passMs(2000);
    expect(bellOf(edge.host.sharedData)).toEqual(bell);
    expect(edge.watches).toHaveLength(sent);
    expect(reads.size).toBe(0);
  });

  it("a policy that one of two builds rejects is run by the other alone", () => {
    const { edge, added } = mixed(strict);
    offer(edge.watch, five, { generation: 7 });
    edge.passMs(500);
    offer(newestWatch(edge), gold, { generation: 8 });
    edge.passMs(500);
    expect(results(edge)).toEqual({ [buildWord(FIRST)]: "ok", [buildWord(STRICT)]: "rejected" });
    expect(generations(edge)).toEqual([8, 7]);
    expect(added.failure).toBeUndefined();
  });

  it("the watch carries the result and the reasons of the leader's build", () => {
    const { edge, added } = mixed(strict);
    offer(edge.watch, gold, { generation: 8 });
    edge.passMs(500);
    expect(policyInWatch(newestWatch(edge))).toMatchObject({ generation: 8, state: "ok" });
    edge.clock.advanceMs(LEADER_LEASE_MS + TICK_MS);
    added.tick();
    expect(newestWatch(edge).json).toMatchObject({
      filter: { build: buildWord(STRICT) },
      policy: { generation: 8, state: "rejected", violations: [{ path: "plans[0].name" }] },
    });
  });

  it("a policy that only the old build rejected is tried and run by a new build", () => {
    const edge = edgeWithoutPolicy({ module: strict, workers: 2 });
    edge.flush();
    offer(edge.watch, gold, { generation: 8 });
    edge.passMs(500);
    expect(results(edge)).toEqual({ [buildWord(STRICT)]: "rejected" });
    edge.workers.length = 0;
    edge.addWorker(settings(undefined), first);
    edge.passMs(LEADER_LEASE_MS + 500);
    expect(generations(edge)).toEqual([8]);
    expect(policyInWatch(newestWatch(edge))).toMatchObject({ generation: 8, state: "ok" });
  });

  it("a new VM of an untried build tries a policy before it serves by it", () => {
    const { edge } = mixed(second);
    edge.workers.pop();
    offer(edge.watch, five, { generation: 7 });
    edge.passMs(TICK_MS);
    edge.addWorker(settings(undefined), strict);
    expect(edge.send("invented", 1).paused).toBe(true);
    edge.passMs(TICK_MS);
    expect(edge.send("invented", 1).status).toBe(401);
    expect(results(edge)).toEqual({ [buildWord(FIRST)]: "ok", [buildWord(STRICT)]: "ok" });
  });

  it("two builds share a session's bucket while they run different policies", () => {
    const { edge } = mixed(strict);
    offer(edge.watch, five, { generation: 7 });
    edge.passMs(500);
    offer(newestWatch(edge), policy({ plans: [plan({ name: "gold", maxTokens: 8 })] }), { generation: 8 });
    edge.passMs(500);
    const session = edge.sessionInTable({ tokens: 4 });
    expect(edge.admitted(session, 2, 1)).toBe(2);
    expect(edge.admitted(session, 9, 0)).toBe(2);
  });
});
