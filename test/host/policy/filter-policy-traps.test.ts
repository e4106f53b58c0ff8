// A policy that traps the filter: one VM traps once, all others go on with the policy before, and the operator sees it. The
// filter of these tests is built with such a trap: its validator traps at a plan named "trap".
import { beforeAll, describe, expect, it } from "vitest";
import { LEADER_LEASE_MS, TICK_MS, TRY_DEADLINE_MS } from "../../../assembly/contract.js";
import { plan, policy, settings } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { bellOf } from "../harness/scenes/edge-keys.js";
import { COMPILE_TIMEOUT_MS, changedFilter } from "../harness/builds/filter-builds.js";
import { countPolicyReads, generations, policyInWatch, newestWatch, offer } from "../harness/scenes/policy-offer.js";

const BUILD = 0x7a9n;
const good = policy({ plans: [plan({ maxTokens: 5 })] });
const trap = policy({ plans: [plan({ name: "trap" })] });

let module: WebAssembly.Module;
beforeAll(async () => {
  const line = "plan.name = name.string(isName, EXPECTED_NAME, plan.name);";
  const by = `${line} if (plan.name == "trap") unreachable();`;
  module = await changedFilter([{ file: "policy/plans.ts", find: line, by }], BUILD);
}, COMPILE_TIMEOUT_MS);

/** Three workers with generation 7 in force; then the leader is given the policy that traps. */
function trapped(): Edge {
  const edge = new Edge({ policy: null, workers: 3, module });
  edge.flush();
  offer(edge.watch, good, { generation: 7 });
  edge.passMs(TICK_MS);
  offer(edge.watch, trap, { generation: 8 });
  return edge;
}

describe("a policy that traps the filter", () => {
  it("a policy that traps costs the VM that tries it, once, and no other", () => {
    const edge = trapped();
    expect(edge.worker(0).failure).toBeInstanceOf(WebAssembly.RuntimeError);
    edge.reload(0);
    edge.passMs(TRY_DEADLINE_MS + LEADER_LEASE_MS + 1000);
    expect(edge.workers.map((worker) => worker.failure)).toEqual([undefined, undefined, undefined]);
    expect(edge.host.vms.filter((vm) => vm.failure !== undefined)).toHaveLength(1);
  });

  it("a policy that traps leaves requests of other workers as they were", () => {
    const edge = trapped();
    for (let ms = 0; ms < TRY_DEADLINE_MS + 500; ms += TICK_MS) {
      expect([edge.send("invented", 1).status, edge.send("invented", 2).status]).toEqual([401, 401]);
      edge.passMs(TICK_MS);
    }
  });

  it("a policy that traps is reported by the next leader, with one line in the log", () => {
    const edge = trapped();
    edge.reload(0);
    edge.passMs(TRY_DEADLINE_MS + LEADER_LEASE_MS + 1000);
    expect(policyInWatch(newestWatch(edge))).toMatchObject({ generation: 8, state: "trapped" });
    const said = edge.host.messages("error").filter((line) => /policy generation 8 trapped/.test(line));
    expect(said).toHaveLength(1);
  });

  it("a policy that traps is not tried again by this build, in any VM or root", () => {
    const edge = trapped();
    edge.reload(0);
    edge.passMs(TRY_DEADLINE_MS + LEADER_LEASE_MS + 1000);
    const reads = countPolicyReads(edge);
    edge.reload(1);
    edge.worker(2).configure(settings(good));
    edge.passMs(60_000);
    expect([...reads.values()]).toEqual([]);
    expect(edge.workers.map((worker) => worker.failure)).toEqual([undefined, undefined, undefined]);
    offer(newestWatch(edge), trap, { generation: 9 });
    edge.passMs(TRY_DEADLINE_MS);
    expect(policyInWatch(newestWatch(edge))).toMatchObject({ generation: 9, state: "trapped" });
  });

  it("a VM in place of a trapped one has the policy before, from its start on", () => {
    const edge = trapped();
    edge.reload(0);
    expect(edge.send("invented", 0).status).toBe(401);
    edge.passMs(TRY_DEADLINE_MS + 500);
    edge.reload(1);
    expect(edge.send("invented", 1).status).toBe(401);
    expect(generations(edge)).toEqual([7, 7, 7]);
  });

  it("a first policy that traps leaves 503 after 2 s, until the next one comes", () => {
    const edge = new Edge({ policy: null, workers: 2, module });
    edge.flush();
    offer(edge.watch, trap, { generation: 1 });
    edge.reload(0);
    const waiting = [edge.send("invented", 0), edge.send("invented", 1)];
    edge.passMs(TRY_DEADLINE_MS + LEADER_LEASE_MS + 1000);
    expect(waiting.map((stream) => stream.status)).toEqual([503, 503]);
    offer(newestWatch(edge), good, { generation: 2 });
    edge.passMs(TICK_MS);
    expect([edge.send("invented", 0).status, edge.send("invented", 1).status]).toEqual([401, 401]);
  });

  it("a policy after one that traps is taken by every worker", () => {
    const edge = trapped();
    edge.reload(0);
    edge.passMs(TRY_DEADLINE_MS + LEADER_LEASE_MS + 1000);
    offer(newestWatch(edge), policy({ plans: [plan({ maxTokens: 6 })] }), { generation: 9 });
    edge.passMs(TICK_MS);
    expect(generations(edge)).toEqual([9, 9, 9]);
    expect(Object.values(bellOf(edge.host.sharedData)?.results ?? {})).toEqual(["ok"]);
  });
});
