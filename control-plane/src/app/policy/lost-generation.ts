// Where control planes share a store: a generation that is in force here, and that the store lost with a failover or as an
// older copy of it. The numbers after it would come again with other bytes, which an edge that has received the lost one
// drops. So what was decided last is saved again, above all that was seen (docs/decisions/0077-two-followers-of-one-policy.md).
import { logAudit } from "../access/audit.js";
import type { PolicyDecision, StoredPolicy } from "../ports/ports.js";
import { GENERATIONS_KEPT } from "./generations-kept.js";
import { eventOf, ofStore, readStored } from "./policy-steps.js";
import type { Numbered, PolicyServiceParts } from "./policy-steps.js";

export class LostGeneration {
  /** The log of the store in which what is in force here was last found stored. */
  private foundIn: string | undefined;
  /** The highest number that an edge has received under the store's present log. */
  private shown = 0;

  constructor(private readonly parts: PolicyServiceParts) {}

  /** An edge has received it. A number that is far off is none that any control plane gave. */
  noteShown(generation: number, inForce: number): void {
    if (generation <= inForce + GENERATIONS_KEPT) this.shown = Math.max(this.shown, generation);
  }

  /** The number of a decision after this one: above all that an edge has received. */
  numberAfter(generation: number): number {
    return Math.max(generation, this.parts.shared === undefined ? 0 : this.shown) + 1;
  }

  /**
   * Saves what was decided last again, where the store lacks what is in force here. Answers whether it did: not where
   * nothing is lost, nor where another process was faster, which the next look shows.
   * @param own in force here since before the store was asked for `newest`. @throws StoreFailure
   */
  async restore(own: Numbered, newest: number): Promise<boolean> {
    const { shared, store } = this.parts;
    if (shared === undefined || newest > own.generation) return false;
    const { log } = await ofStore(shared.position());
    if (newest === own.generation && log === this.foundIn) return false;
    const found = await ofStore(store.policy(newest));
    if (newest === own.generation && found !== undefined && this.says(found, own)) {
      this.foundIn = log;
      return false;
    }
    return this.saveAgain(own, found, newest);
  }

  private says(found: StoredPolicy, own: Numbered): boolean {
    return readStored(this.parts, found)?.policyJson === own.policyJson;
  }

  /** Of the one in force here and the one that is stored the later decision; every one of them has another number then. */
  private async saveAgain(own: Numbered, found: StoredPolicy | undefined, newest: number): Promise<boolean> {
    const { store, logger, source } = this.parts;
    const generation = this.numberAfter(own.generation);
    const decision: PolicyDecision = { ...laterOf(own, found), generation };
    const lost = own.generation;
    const event = eventOf(this.parts, "policy-accepted", { source: decision.source ?? source.name, generation, lost });
    if (!(await ofStore(store.savePolicy(decision, newest, event)))) return false;
    logAudit(logger, event);
    const fields = { event: "policy-generation-lost", lost, stored: newest, generation };
    const why = "it was lost with a failover, or a copy of the store was put back";
    const what = `the store lacks policy generation ${lost}, which is in force here`;
    logger.error(fields, `${what}: ${why}; what was decided last is saved again as generation ${generation}`);
    return true;
  }
}

/** Where nobody knows, the one in force. */
function laterOf(own: Numbered, found: StoredPolicy | undefined): Omit<PolicyDecision, "generation"> {
  const later = found !== undefined && (found.atMs ?? 0) > (own.atMs ?? Infinity) ? found : own;
  const { policyJson, hash, atMs, source } = later;
  return { policyJson, hash, atMs, source };
}
