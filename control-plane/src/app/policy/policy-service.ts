// The policy in force: taken from where the operator writes it, validated, numbered, stored, and published to edges.
import { planById, type PlanOfPolicy } from "../../domain/plan.js";
import { logAudit } from "../access/audit.js";
import type {
  AcceptedPolicy,
  PolicyViolation,
  PolicyPublisher,
  PolicyReading,
  PublishedPolicy,
} from "../ports/policy-ports.js";
import { first, ofStore, readSource, rejection, saved, stored, StoreFailure } from "./policy-steps.js";
import type { Numbered, PolicyServiceParts, SourceReading } from "./policy-steps.js";
import type { ActivePolicy, CurrentPolicy } from "../ports/ports.js";
import { logStoreFailure } from "../upkeep/store-keeping.js";

/** What became of a document. */
type PolicyOutcome =
  | { readonly kind: "accepted" | "unchanged"; readonly generation: number }
  | { readonly kind: "rejected"; readonly violations: readonly PolicyViolation[] };

/** Each edge shows with each watch what it has received: the store is not read, nor the log written, for each of them. */
const LOOK_AGAIN_MS = 60_000;
/** Races that are lost in a row before a document is left to the next look at it. */
const MAX_RACES = 5;

/**
 * A document is taken whole or rejected whole; rejected, the policy before it stays. A generation numbers a decision: it
 * grows by one with each policy that differs from the one before, over restarts too, and is durable before anybody hears
 * of the policy. Another process over the same store may decide too: saving is conditional on the generation that this
 * one knows, and an edge that has received a higher one makes it look at the store.
 */
export class PolicyService implements CurrentPolicy, PolicyPublisher {
  private readonly listeners = new Set<() => void>();
  private stopWatching: () => void = () => undefined;
  private fileRejected = false;
  /** Why the source could not be read, as it was said last; null where it was read since. */
  private saidUnread: string | null = null;
  /** A rejection that was logged and that the audit log did not take: tried again each second, it is not logged again. */
  private saidUnaudited: string | null = null;
  private lookingAtStore: Promise<void> | undefined;
  /** The last generation that an edge has received and the store did not give, and when that was looked for. */
  private missing = { generation: 0, atMs: 0 };

  private constructor(
    private readonly parts: PolicyServiceParts,
    private inForce: Numbered,
  ) {}

  /**
   * Takes the source's policy, or where that is unusable the one accepted last, and follows the source from then on.
   * Rejects with NoPolicyError where there is neither.
   */
  static async start(parts: PolicyServiceParts): Promise<PolicyService> {
    const newest = await parts.store.newestGeneration();
    const last = await stored(parts, newest);
    const reading = await readSource(parts);
    const service = new PolicyService(parts, last ?? (await first(parts, reading, newest)));
    const isTaken = last === undefined || (await service.takeAndSay(reading));
    service.stopWatching = parts.source.watch(async () => service.takeAndSay(await readSource(parts)), isTaken);
    return service;
  }

  current(): ActivePolicy {
    return this.inForce;
  }

  /** The same for every edge. */
  published(_edge: string): PublishedPolicy {
    return this.inForce;
  }

  shown(generation: number): void {
    if (generation <= this.inForce.generation) return;
    const { missing } = this;
    if (generation <= missing.generation && this.parts.clock.monotonicMs() - missing.atMs < LOOK_AGAIN_MS) return;
    this.lookingAtStore ??= this.lookAtStore(generation).finally(() => {
      this.lookingAtStore = undefined;
    });
  }

  /** Whether the source as it was read last was rejected. */
  isFileRejected(): boolean {
    return this.fileRejected;
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Follows the source no longer. The policy stays in force. */
  stop(): void {
    this.stopWatching();
  }

  /** False where it could not be decided, so that it is worth trying the same text again. */
  private async takeAndSay(reading: SourceReading): Promise<boolean> {
    try {
      await this.take(reading);
      return true;
    } catch (error) {
      this.sayFailed(error, "a policy could not be taken", "the policy in force stays, and the new one is tried again");
      return false;
    }
  }

  /** Only what the store could not do is said of the store. */
  private sayFailed(error: unknown, what: string, after: string): void {
    const { logger } = this.parts;
    const { generation } = this.inForce;
    if (error instanceof StoreFailure) {
      const fields = { event: "policy-store-failed", generation };
      logStoreFailure(logger, error.cause, fields, `the store failed: ${after}`);
    } else {
      logger.error({ event: "policy-take-failed", err: error, generation }, `${what}: ${after}`);
    }
  }

  private async take(reading: SourceReading): Promise<void> {
    // Tried again each second, a file that cannot be read is said to be so once.
    const unread = reading.isUnread === true && "violations" in reading ? (reading.violations[0]?.message ?? "") : null;
    if (unread !== null && unread === this.saidUnread) return;
    const outcome = await this.decide(reading);
    this.fileRejected = outcome.kind === "rejected";
    if (outcome.kind === "rejected") await this.reject(outcome.violations);
    else {
      const { logger, source } = this.parts;
      const fields = { event: `policy-${outcome.kind}`, source: source.name, generation: outcome.generation };
      logger.info(fields, `policy ${outcome.kind}`);
    }
    this.saidUnaudited = null;
    this.saidUnread = unread;
  }

  private async reject(violations: readonly PolicyViolation[]): Promise<void> {
    const { logger, source, audit } = this.parts;
    const { generation } = this.inForce;
    const said = JSON.stringify(violations);
    if (said !== this.saidUnaudited) {
      const fields = { event: "policy-rejected", source: source.name, violations, generation };
      logger.error(fields, `policy rejected, generation ${generation} stays in force`);
    }
    this.saidUnaudited = said;
    const audited = rejection(this.parts, violations, generation);
    await ofStore(audit.appendAudit(audited));
    logAudit(logger, audited);
  }

  private async decide(reading: PolicyReading, races = 0): Promise<PolicyOutcome> {
    if ("violations" in reading) return { kind: "rejected", violations: reading.violations };
    const { generation, policyJson } = this.inForce;
    if (reading.policyJson === policyJson) return { kind: "unchanged", generation };
    const violations = await this.plansInUse(reading);
    if (violations.length > 0) return { kind: "rejected", violations };
    const next = await saved(this.parts, reading, generation);
    if (next === undefined) return this.lostRace(reading, races);
    this.putInForce(next);
    return { kind: "accepted", generation: next.generation };
  }

  /** Another process has decided meanwhile: its policy is the one before this document now. */
  private async lostRace(reading: PolicyReading, races: number): Promise<PolicyOutcome> {
    if (races >= MAX_RACES) throw new Error(`another process saved a policy first, ${races} times`);
    await this.takeStored();
    return this.decide(reading, races + 1);
  }

  private putInForce(next: Numbered): void {
    this.inForce = next;
    for (const listener of this.listeners) this.tell(listener);
  }

  /** A listener that fails keeps the policy from no other one. */
  private tell(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      const fields = { event: "policy-listener-failed", err: error, generation: this.inForce.generation };
      this.parts.logger.error(
        fields,
        "a part of this process failed to follow the policy: a violation of this program",
      );
    }
  }

  /** Takes the store's policy where its generation is higher than ours. Answers the store's generation. */
  private async takeStored(): Promise<number> {
    const generation = await ofStore(this.parts.store.newestGeneration());
    if (generation <= this.inForce.generation) return generation;
    const next = await stored(this.parts, generation);
    if (next === undefined) {
      throw new Error(`the stored policy, generation ${generation}, is none that this version can read`);
    }
    this.putInForce(next);
    const fields = { event: "policy-reloaded", generation };
    this.parts.logger.info(fields, `another process has published generation ${generation}: it is in force here too`);
    return generation;
  }

  private async lookAtStore(shown: number): Promise<void> {
    const { logger } = this.parts;
    try {
      this.missing = { generation: shown, atMs: this.parts.clock.monotonicMs() };
      const newest = await this.takeStored();
      if (newest >= shown) return;
      const { generation } = this.inForce;
      const fields = { event: "policy-generation-unknown", shown, stored: newest, generation };
      const why = "a copy of the store was put back without the restore command, or another store has the same log";
      logger.error(fields, `an edge has received generation ${shown}, and the store has none as high: ${why}`);
    } catch (error) {
      this.sayFailed(error, "the stored policy could not be taken", "the policy in force stays");
    }
  }

  /** A violation for each plan that the new policy lacks and that live sessions have. */
  private async plansInUse(next: AcceptedPolicy): Promise<PolicyViolation[]> {
    const removed = this.inForce.policy.plans.filter(({ id }) => planById(next.policy, id) === undefined);
    const violations = await Promise.all(removed.map((plan) => this.planInUse(plan)));
    return violations.filter((violation) => violation !== null);
  }

  private async planInUse({ id, name, lifetime }: PlanOfPolicy): Promise<PolicyViolation | null> {
    const { clock, sessions } = this.parts;
    const live = await ofStore(sessions.countLive(id, clock.nowMs() - lifetime));
    if (live === 0) return null;
    const having = live === 1 ? "1 live session has" : `${live} live sessions have`;
    const message = `plan "${name}" (id ${id}) cannot go while ${having} it; keep it, or end those and save again`;
    return { path: "plans", line: null, column: null, message };
  }
}
