// The policy in force in this process, who hears of a change, and what another process over the same store has decided.
import type { Numbered, PolicyServiceParts } from "./policy-steps.js";
import { ofStore, stored, UnreadableGeneration } from "./policy-steps.js";

export class PolicyInForce {
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly parts: PolicyServiceParts,
    private policy: Numbered,
  ) {}

  now(): Numbered {
    return this.policy;
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** False, and nothing is changed, where a newer one is in force: while it was read or saved, another was faster. */
  put(next: Numbered): boolean {
    if (next.generation <= this.policy.generation) return false;
    this.policy = next;
    for (const listener of this.listeners) this.tell(listener);
    return true;
  }

  /** Takes the store's policy where its generation is higher than ours. Answers the store's generation. */
  async takeStored(): Promise<number> {
    const generation = await ofStore(this.parts.store.newestGeneration());
    if (generation <= this.policy.generation) return generation;
    const next = await stored(this.parts, generation);
    if (next === undefined) throw new UnreadableGeneration(generation);
    if (!this.put(next)) return generation;
    const fields = { event: "policy-reloaded", generation };
    this.parts.logger.info(fields, `another process has published generation ${generation}: it is in force here too`);
    return generation;
  }

  /** A listener that fails keeps the policy from no other one. */
  private tell(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      const fields = { event: "policy-listener-failed", err: error, generation: this.policy.generation };
      this.parts.logger.error(
        fields,
        "a part of this process failed to follow the policy: a violation of this program",
      );
    }
  }
}
