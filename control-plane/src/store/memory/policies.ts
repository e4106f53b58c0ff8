// Generations of the policy in a map, for tests. Passes the same contract as the real one.
import type { AuditEvent, LogPosition } from "../../domain/stored.js";
import type { GenerationsKept, PolicyDecision, PolicyStore, StoredPolicy } from "../../app/ports/ports.js";

export class MemoryPolicies implements PolicyStore {
  /** By generation, the lowest first. */
  protected readonly generations = new Map<number, StoredPolicy>();

  constructor(
    private readonly position: () => LogPosition,
    private readonly appendAudit: (event: AuditEvent) => void = () => undefined,
  ) {}

  newestGeneration(): Promise<number> {
    return Promise.resolve(this.newest());
  }

  policy(generation: number): Promise<StoredPolicy | undefined> {
    return Promise.resolve(this.generations.get(generation));
  }

  savePolicy(decision: PolicyDecision, expectedGeneration: number, audited?: AuditEvent): Promise<boolean> {
    if (this.newest() !== expectedGeneration) return Promise.resolve(false);
    this.generations.set(decision.generation, { ...decision, position: this.position() });
    if (audited !== undefined) this.appendAudit(audited);
    return Promise.resolve(true);
  }

  forgetPolicies({ newest, also }: GenerationsKept): Promise<number> {
    const older = [...this.generations.keys()].slice(0, -newest);
    const forgotten = older.filter((generation) => !also.has(generation));
    for (const generation of forgotten) this.generations.delete(generation);
    return Promise.resolve(forgotten.length);
  }

  /** The oldest first. */
  all(): readonly StoredPolicy[] {
    return [...this.generations.values()];
  }

  /** As it is, whatever the newest is. */
  put(policy: StoredPolicy): void {
    this.generations.set(policy.generation, policy);
  }

  /** As with a failover: the newest ones were never there. */
  lose(count: number): void {
    for (const generation of [...this.generations.keys()].slice(this.generations.size - count))
      this.generations.delete(generation);
  }

  private newest(): number {
    return Math.max(0, ...this.generations.keys());
  }
}
