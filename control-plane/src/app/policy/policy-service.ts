// The policy in force: taken from where the operator writes it, validated, numbered, stored, and published to edges.
import type {
  AcceptedPolicy,
  PolicyViolation,
  PolicyPublisher,
  PolicyReading,
  PublishedPolicy,
} from "../ports/policy-ports.js";
import type { EndedSessions } from "./ended-sessions.js";
import { limitsGone, sayLimitsGone } from "./limits-gone.js";
import { plansInUse } from "./plans-in-use.js";
import { PolicyInForce } from "./policy-in-force.js";
import { CountCutShort, PolicyJudgement } from "./policy-judgement.js";
import { PolicyRejections } from "./policy-rejections.js";
import { PolicyHold } from "./policy-hold.js";
import type { HeldPolicy } from "./policy-hold.js";
import { causeThrown, first, readSource, saved, stored, StoreFailure } from "./policy-steps.js";
import type { Confirmed, Numbered, PolicyServiceParts, SourceReading } from "./policy-steps.js";
import { ShownGenerations } from "./shown-generations.js";
import type { ActivePolicy, CurrentPolicy } from "../ports/ports.js";
import { logStoreFailure } from "../upkeep/store-keeping.js";

/** What became of a document. */
type PolicyOutcome =
  | { readonly kind: "accepted" | "unchanged" }
  | { readonly kind: "held"; readonly accepted: AcceptedPolicy; readonly ended: EndedSessions }
  | { readonly kind: "rejected"; readonly violations: readonly PolicyViolation[] };

/** What an operator's word has done. */
export type Confirmation =
  | { readonly outcome: "published"; readonly generation: number; readonly hash: string; readonly sessions: number }
  | { readonly outcome: "noneHeld" | "anotherHeld" }
  | { readonly outcome: "rejected"; readonly violations: readonly PolicyViolation[] };

/** judged: live sessions are being counted, to see whether it would end any. */
export type SourceState = "taken" | "judged" | "held" | "rejected";

export interface PolicyStatus {
  readonly inForce: Pick<PublishedPolicy, "generation" | "hash">;
  /** Where the operator writes it, and what became of what stands there. */
  readonly source: { readonly name: string; readonly state: SourceState };
  readonly held: HeldPolicy | undefined;
}

/** Races that are lost in a row before a document is left to the next look at it. */
const MAX_RACES = 5;
const NOTHING: EndedSessions = { sessions: 0, plans: [], tookMs: 0 };

/**
 * A document is taken whole, held back whole or rejected whole; held or rejected, the policy before it stays. A generation
 * numbers a decision: it grows by one with each policy that differs from the one before, over restarts too, and is durable
 * before anybody hears of the policy. Another process over the same store may decide too: saving is conditional on the
 * generation that this one knows, and an edge that has received a higher one makes it look at the store.
 */
export class PolicyService implements CurrentPolicy, PolicyPublisher {
  private readonly inForce: PolicyInForce;
  private stopWatching: () => void = () => undefined;
  private fileRejected = false;
  /** Why the source could not be read, as it was said last; null where it was read since. */
  private saidUnread: string | null = null;
  private readonly rejections: PolicyRejections;
  private readonly generations: ShownGenerations;
  private readonly hold: PolicyHold;
  /** Documents and operators' words are decided on one after the other. */
  private turn: Promise<unknown> = Promise.resolve();
  private readonly judgement: PolicyJudgement;

  private constructor(
    private readonly parts: PolicyServiceParts,
    first: Numbered,
  ) {
    const { clock, logger } = parts;
    this.inForce = new PolicyInForce(parts, first);
    this.judgement = new PolicyJudgement(parts, () => this.inForce.now());
    this.rejections = new PolicyRejections(parts);
    this.hold = new PolicyHold(parts, (after) => this.judgement.wouldEnd(after));
    // Another process may have published what is held here.
    this.inForce.subscribe(() => {
      if (this.hold.now()?.hash === this.inForce.now().hash) this.hold.drop();
    });
    this.generations = new ShownGenerations({
      clock,
      logger,
      inForce: () => this.inForce.now().generation,
      takeStored: () => this.inForce.takeStored(),
      sayFailed: (error) => {
        this.sayFailed(error, "the stored policy could not be taken", "the policy in force stays");
      },
    });
  }

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
    service.judgement.started();
    service.stopWatching = parts.source.watch(async () => service.takeAndSay(await readSource(parts)), isTaken);
    return service;
  }

  current(): ActivePolicy {
    return this.inForce.now();
  }

  /** The same for every edge. */
  published(_edge: string): PublishedPolicy {
    return this.inForce.now();
  }

  shown(generation: number): void {
    this.generations.shown(generation);
  }

  /** Whether the source as it was read last was rejected. */
  isFileRejected(): boolean {
    return this.fileRejected;
  }

  /** Whether the source as it was read last waits for an operator's word. */
  isHeld(): boolean {
    return this.hold.now() !== undefined;
  }

  async status(): Promise<PolicyStatus> {
    const held = await causeThrown(this.hold.recounted());
    const { generation, hash } = this.inForce.now();
    return { inForce: { generation, hash }, source: { name: this.parts.source.name, state: this.sourceState() }, held };
  }

  private sourceState(): SourceState {
    if (this.judgement.isUnderWay) return "judged";
    if (this.isHeld()) return "held";
    return this.fileRejected ? "rejected" : "taken";
  }

  /**
   * Publishes the policy that is held, if it is the one of this hash, whatever the number of sessions is by now.
   * @param actor the public name of who asks
   */
  confirm(hash: string, actor: string): Promise<Confirmation> {
    const confirmed = this.inTurn<Confirmation>(async () => {
      const held = this.hold.now();
      if (held === undefined) return { outcome: "noneHeld" };
      if (held.hash !== hash) return { outcome: "anotherHeld" };
      const { sessions } = held.ended;
      const outcome = await this.decide(held.accepted, { actor, sessions });
      await this.settle(outcome);
      if (outcome.kind === "rejected") return { outcome: "rejected", violations: outcome.violations };
      return { outcome: "published", generation: this.inForce.now().generation, hash, sessions };
    });
    return causeThrown(confirmed);
  }

  subscribe(listener: () => void): () => void {
    return this.inForce.subscribe(listener);
  }

  /** Follows the source no longer. The policy stays in force. Resolves once nothing of the store is read any more. */
  async stop(): Promise<void> {
    this.judgement.stop();
    this.stopWatching();
    await this.turn;
    await this.hold.atRest();
  }

  private inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.turn.then(work);
    this.turn = done.catch(() => undefined);
    return done;
  }

  /** False where it could not be decided, so that it is worth trying the same text again. */
  private async takeAndSay(reading: SourceReading): Promise<boolean> {
    try {
      await this.inTurn(() => this.take(reading));
      return true;
    } catch (error) {
      if (error instanceof CountCutShort) return this.judgement.isStopped;
      this.sayFailed(error, "a policy could not be taken", "the policy in force stays, and the new one is tried again");
      return false;
    }
  }

  /** Only what the store could not do is said of the store. */
  private sayFailed(error: unknown, what: string, after: string): void {
    const { logger } = this.parts;
    const { generation } = this.inForce.now();
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
    await this.settle(await this.decide(reading), reading.textHash);
    this.saidUnread = unread;
  }

  private async settle(outcome: PolicyOutcome, textHash?: string): Promise<void> {
    const { generation } = this.inForce.now();
    this.judgement.done();
    this.fileRejected = outcome.kind === "rejected";
    if (outcome.kind !== "held") this.hold.drop();
    if (outcome.kind !== "rejected") this.rejections.forget();
    if (outcome.kind === "rejected") await this.rejections.say(outcome.violations, generation, textHash);
    else if (outcome.kind === "held") await this.hold.hold(outcome.accepted, outcome.ended, generation);
    else {
      const { logger, source } = this.parts;
      const fields = { event: `policy-${outcome.kind}`, source: source.name, generation };
      logger.info(fields, `policy ${outcome.kind}`);
    }
  }

  /** @param confirmed it may end sessions */
  private async decide(reading: PolicyReading, confirmed?: Confirmed, races = 0): Promise<PolicyOutcome> {
    if ("violations" in reading) return { kind: "rejected", violations: reading.violations };
    const { generation, policyJson, policy } = this.inForce.now();
    if (reading.policyJson === policyJson) return { kind: "unchanged" };
    const violations = await plansInUse(this.parts, policy, reading.policy);
    if (violations.length > 0) return { kind: "rejected", violations };
    const ended = confirmed === undefined ? await this.judgement.judge(reading) : NOTHING;
    if (ended.sessions > 0) return { kind: "held", accepted: reading, ended };
    const next = await saved(this.parts, reading, generation, confirmed);
    if (next === undefined) return this.lostRace(reading, confirmed, races);
    this.inForce.put(next);
    sayLimitsGone(this.parts.logger, limitsGone(policy, next.policy), next.generation);
    return { kind: "accepted" };
  }

  /** Another process has decided meanwhile: its policy is the one before this document now. */
  private async lostRace(
    reading: PolicyReading,
    confirmed: Confirmed | undefined,
    races: number,
  ): Promise<PolicyOutcome> {
    if (races >= MAX_RACES) throw new Error(`another process saved a policy first, ${races} times`);
    await this.inForce.takeStored();
    return this.decide(reading, confirmed, races + 1);
  }
}
