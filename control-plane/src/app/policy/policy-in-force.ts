// The policy in force in this process, who hears of a change, and what another process over the same store has decided.
import { LostGeneration } from "./lost-generation.js";
import type { Numbered, PolicyServiceParts } from "./policy-steps.js";
import { ofStore, stored, UnreadableGeneration } from "./policy-steps.js";

export class PolicyInForce {
  private readonly listeners = new Set<() => void>();
  private readonly lost: LostGeneration;

  constructor(
    private readonly parts: PolicyServiceParts,
    private policy: Numbered,
  ) {
    this.lost = new LostGeneration(parts);
  }

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

  /** An edge has received this generation, of the store's present log. */
  noteShown(generation: number): void {
    this.lost.noteShown(generation, this.policy.generation);
  }

  /** That of the next decision. */
  nextNumber(): number {
    return this.lost.numberAfter(this.policy.generation);
  }

  /**
   * Takes the store's policy where its generation is higher than ours; where a shared store lost ours, what was decided last
   * is saved again before. Answers the store's generation.
   */
  async takeStored(): Promise<number> {
    // Of before the store is asked: what it says may be older than what is decided meanwhile.
    const own = this.policy;
    const newest = await this.newest();
    const isRestored = await this.lost.restore(own, newest);
    const generation = isRestored ? await this.newest() : newest;
    if (generation <= this.policy.generation) return generation;
    const next = await stored(this.parts, generation);
    if (next === undefined) throw new UnreadableGeneration(generation);
    if (!this.put(next) || isRestored) return generation;
    const fields = { event: "policy-reloaded", generation };
    this.parts.logger.info(fields, `another process has published generation ${generation}: it is in force here too`);
    return generation;
  }

  private newest(): Promise<number> {
    return ofStore(this.parts.store.newestGeneration());
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
