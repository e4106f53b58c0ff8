// The invariants of the policy at the end of a run: every VM runs what is published, or what it ran before where that is
// rejected; the control plane knows it from the edge's reports; no request waits; each admitted request was counted.
import { POLICY_OK, POLICY_REJECTED, POLICY_TRAPPED, SOURCE_CONTROL_PLANE } from "../../../assembly/contract.js";
import type { PublishedPolicy } from "../../../control-plane/src/app/ports/policy-ports.js";
import type { SimEdge } from "../parts/sim-edge.js";
import { fail } from "./violation.js";
import type { World } from "../parts/world.js";

export class PolicyInvariants {
  constructor(private readonly world: World) {}

  /** Throws a Violation where they do not agree. */
  expectAgreement(edge: SimEdge): void {
    const { name } = edge;
    const published = this.world.plane.published(name);
    if (published === undefined) fail("policy", "the control plane has none");
    if (published.generation !== this.world.store.newestGeneration())
      fail("policy", `published is ${published.generation}, stored ${this.world.store.newestGeneration()}`);
    this.#expectBell(edge, published);
    for (const index of edge.workers) this.#expectServed(edge, index, published);
    this.#expectKnown(edge, published);
    expectNobodyWaits(edge);
    expectCounted(edge);
  }

  /** Bell and bytes are what is published, and each build that runs has a result on it. */
  #expectBell({ name, rules, workers, edge }: SimEdge, { generation, hash }: PublishedPolicy): void {
    const { log } = this.world.store;
    const { bell, bytes } = rules;
    for (const [what, is] of [["bell", bell] as const, ["bytes", bytes] as const]) {
      // The same bytes again are not written again: they stand under the number with which they came.
      const isThere =
        what === "bytes" ? is?.hash === hash : is?.hash === hash && is.generation === generation && is.log === log;
      if (!isThere)
        fail("policy", `${name} ${what}: ${JSON.stringify(is)}, published is ${generation} of ${log}, ${hash}`);
    }
    for (const index of workers) this.#result(rules, rules.buildOf(edge.worker(index)), hash);
  }

  /** What a build has made of the published policy. */
  #result({ bell, wasInterrupted }: SimEdge["rules"], build: string, hash: string): string {
    const isRejected = this.world.policies.kindOf(hash) === "rejected";
    const result = bell?.results.get(build);
    if (result === (isRejected ? POLICY_REJECTED : POLICY_OK)) return result;
    if (result === POLICY_TRAPPED && wasInterrupted(build, hash)) return result;
    fail("policy", `build ${build} finds ${hash} ${result ?? "nothing"}`);
  }

  #expectServed(edge: SimEdge, index: number, { generation, hash }: PublishedPolicy): void {
    const { rules, name } = edge;
    const vm = edge.worker(index);
    const said = edge.said(index);
    const serves = rules.servedBy(vm);
    if (said === undefined) fail("policy", `${name}/${index} has not reported`);
    const saidToServe = said.policy.source === SOURCE_CONTROL_PLANE ? said.policy.hash : undefined;
    if (saidToServe !== serves) fail("policy", `${name}/${index} serves ${serves ?? "-"}, says ${saidToServe ?? "-"}`);
    if (this.#result(rules, rules.buildOf(vm), hash) !== POLICY_OK) {
      if (serves === hash) fail("policy", `${name}/${index} serves what its build did not find good`);
      return;
    }
    if (serves !== hash || said.policy.generation !== generation)
      fail("policy", `${name}/${index} serves ${JSON.stringify(said.policy)}, published is ${generation}, ${hash}`);
  }

  /** The control plane knows by the watch what the edge took, and by reports what each worker runs. */
  #expectKnown(edge: SimEdge, { generation, hash }: PublishedPolicy): void {
    const { world } = this;
    const { name, life } = edge;
    const known = world.plane.knows(name, life.instance() ?? "", world.store.log);
    const lastWatch = known?.said.lastWatch;
    const { policy } = lastWatch ?? {};
    if (known === undefined || lastWatch?.filter === undefined || policy === undefined)
      fail("policy", `${name}: the control plane does not know it`);
    const result = this.#result(edge.rules, lastWatch.filter.build, hash);
    const isSaid = policy.log === world.store.log && policy.generation === generation && policy.hash === hash;
    if (!isSaid || policy.state !== result)
      fail("policy", `${name}: the control plane knows ${JSON.stringify(policy)}, it is ${result}`);
    if (result === POLICY_REJECTED && policy.violations.length === 0)
      fail("policy", `${name}: rejected without a reason`);
    for (const index of edge.workers) {
      const said = edge.said(index);
      const runs = known.said.workers.get(said?.worker ?? "")?.runs;
      if (runs?.hash !== said?.policy.hash) fail("policy", `${name}/${index}: runs ${JSON.stringify(said)}, not known`);
    }
    const states = { [POLICY_OK]: "current", [POLICY_REJECTED]: "rejected", [POLICY_TRAPPED]: "trapped" };
    // A build that does not lead may have trapped: its workers then run another policy.
    const alike = edge.workers.every((index) => edge.rules.servedBy(edge.worker(index)) === hash);
    if ((result !== POLICY_OK || alike) && known.state !== states[result])
      fail("policy", `${name}: ${known.state} in the control plane's list, it is ${result}`);
  }
}

function expectNobodyWaits(edge: SimEdge): void {
  for (const index of edge.workers) {
    if (edge.held(index) > 0) fail("held", `${edge.name}/${index}: ${edge.held(index)} requests still wait`);
  }
}

/** Where no VM was lost with what it had not added yet. */
function expectCounted({ name, life, edge }: SimEdge): void {
  if (life.hasForgotten) return;
  const spent = [...life.spent.values()].reduce((sum, one) => sum + one, 0);
  const counted = edge.host.metrics.sum("sluice_tokens_spent_total");
  if (counted !== spent) fail("counted", `${name}: ${spent} tokens spent, ${counted} counted`);
}
