// A policy in force that a test changes at will, as sessions are decided by it and as edges are given it.
import type { PolicyPublisher, PublishedPolicy } from "../../src/app/ports/policy-ports.js";
import type { ActivePolicy, Clock, CurrentPolicy } from "../../src/app/ports/ports.js";
import type { Confirmation, PolicyStatus } from "../../src/app/policy/policy-status.js";
import type { PolicyStatusPort } from "../../src/http/admin/policy-routes.js";
import { publishedPolicy } from "../../src/app/policy/published-policy.js";
import type { PlansOfPolicy } from "../../src/domain/plan.js";

/** Its source is always taken: nothing is held, and there is nothing to confirm. */
export class PoliciesInForce implements CurrentPolicy, PolicyPublisher, PolicyStatusPort {
  /** What edges have said that they have received. */
  readonly shownGenerations: number[] = [];
  private readonly listeners = new Set<() => void>();
  private readonly ofEdges = new Map<string, PublishedPolicy>();
  private active: ActivePolicy | undefined;
  private offered: PublishedPolicy | undefined;

  constructor(
    private readonly clock: Pick<Clock, "monotonicMs">,
    first?: PlansOfPolicy,
  ) {
    if (first !== undefined) this.put({ generation: 1, policy: first });
  }

  current(): ActivePolicy | undefined {
    return this.active;
  }

  published(edge: string): PublishedPolicy | undefined {
    return this.ofEdges.get(edge) ?? this.offered;
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  shown(generation: number): void {
    this.shownGenerations.push(generation);
  }

  status(): Promise<PolicyStatus> {
    const { generation, hash } = this.offered ?? { generation: 0, hash: "" };
    const source = { name: "policy.yaml", state: "taken" } as const;
    return Promise.resolve({ inForce: { generation, hash }, source, held: undefined });
  }

  confirm(): Promise<Confirmation> {
    return Promise.resolve({ outcome: "noneHeld" });
  }

  /** As if an operator had saved it; undefined: as if none was loaded. */
  put(active: ActivePolicy | undefined): void {
    this.active = active;
    this.offered = active && this.publishing(active);
    for (const listener of this.listeners) listener();
  }

  /** As if this edge alone was to run another one. */
  putFor(edge: string, active: ActivePolicy): void {
    this.ofEdges.set(edge, this.publishing(active));
    for (const listener of this.listeners) listener();
  }

  private publishing(active: ActivePolicy): PublishedPolicy {
    const sinceMs = this.clock.monotonicMs();
    return publishedPolicy({ ...active, policyJson: JSON.stringify(active.policy), sinceMs, decidedAtMs: sinceMs });
  }
}
