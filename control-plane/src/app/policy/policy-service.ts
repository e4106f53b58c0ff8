// The policy in force: taken from where the operator writes it, validated, numbered, stored, and published to edges.
import type { AcceptedPolicy, PolicyPublisher, PolicyReading, PublishedPolicy } from "../ports/policy-ports.js";
import { PolicyDecisions } from "./policy-decisions.js";
import type { PolicyOutcome } from "./policy-decisions.js";
import { PolicyFailures } from "./policy-failures.js";
import type { Confirmation, PolicyStatus, SourceState } from "./policy-status.js";
import { PolicyInForce } from "./policy-in-force.js";
import { CountCutShort, PolicyJudgement } from "./policy-judgement.js";
import { PolicyRejections } from "./policy-rejections.js";
import { PolicyHold } from "./policy-hold.js";
import { causeThrown, readSource } from "./policy-steps.js";
import type { PolicyServiceParts, SourceReading } from "./policy-steps.js";
import { beginning } from "./first-policy.js";
import type { Beginning } from "./first-policy.js";
import { SourceStanding } from "./source-standing.js";
import { lookAtStoredPolicy } from "./stored-policy-look.js";
import { ShownGenerations } from "./shown-generations.js";
import type { ActivePolicy, CurrentPolicy } from "../ports/ports.js";

/**
 * A document is taken whole, held back whole or rejected whole; held or rejected, the policy before it stays. A generation
 * numbers a decision: it grows by one with each policy that differs from the one before, over restarts too, and is durable
 * before anybody hears of the policy. Another process over the same store may decide too: saving is conditional on the
 * generation that this one knows. What the other has decided is taken once an edge shows it, and where the store is shared
 * within a second. A text that the other has replaced is no new decision, as long as it stays as it is.
 */
export class PolicyService implements CurrentPolicy, PolicyPublisher {
  private readonly inForce: PolicyInForce;
  private stopWatching: () => void = () => undefined;
  private stopLooking = (): Promise<void> => Promise.resolve();
  private readonly standing: SourceStanding;
  private readonly decisions: PolicyDecisions;
  private readonly failures: PolicyFailures;
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
    { policy, isOfSource }: Beginning,
    reading: PolicyReading,
  ) {
    const { clock, logger } = parts;
    this.inForce = new PolicyInForce(parts, policy);
    this.failures = new PolicyFailures(logger, () => this.inForce.now().generation);
    this.judgement = new PolicyJudgement(parts, () => this.inForce.now());
    this.rejections = new PolicyRejections(parts);
    this.hold = new PolicyHold(parts, (after) => this.judgement.wouldEnd(after));
    // In a store of its own the newest is what this source said last; in a shared one it may be what another's says.
    this.standing = new SourceStanding(parts, parts.shared === undefined ? policy.generation : 0);
    if (isOfSource) this.standing.settled("taken", acceptedOf(reading), policy.generation);
    const { inForce, judgement, standing } = this;
    this.decisions = new PolicyDecisions({ policy: parts, inForce, judgement, standing });
    this.inForce.subscribe(() => {
      this.compare();
    });
    this.generations = new ShownGenerations({
      clock,
      logger,
      inForce: () => this.inForce.now().generation,
      takeStored: () => this.inForce.takeStored(),
      sayFailed: (error) => {
        this.failures.sayOfStored(error);
      },
    });
  }

  /**
   * Takes the source's policy, or where that is unusable the one accepted last, and follows the source from then on.
   * Rejects with NoPolicyError where there is neither.
   */
  static async start(parts: PolicyServiceParts): Promise<PolicyService> {
    const reading = await readSource(parts);
    const begun = await beginning(parts, reading);
    const service = new PolicyService(parts, begun, reading);
    const isTaken = begun.isOfSource || (await service.takeAndSay(reading));
    service.judgement.started();
    service.stopWatching = parts.source.watch(async () => service.takeAndSay(await readSource(parts)), isTaken);
    service.look();
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
    this.inForce.noteShown(generation);
    this.generations.shown(generation);
  }

  /** Whether the source as it was read last was rejected. */
  isFileRejected(): boolean {
    return this.standing.became === "rejected";
  }

  /** Whether the source as it was read last waits for an operator's word. */
  isHeld(): boolean {
    return this.hold.why() === "ends";
  }

  /** Whether the source as it was read last says a policy still that another control plane has replaced. */
  isBehind(): boolean {
    return this.hold.why() === "behind";
  }

  async status(): Promise<PolicyStatus> {
    const held = await causeThrown(this.hold.recounted());
    const { generation, hash } = this.inForce.now();
    return { inForce: { generation, hash }, source: { name: this.parts.source.name, state: this.sourceState() }, held };
  }

  private sourceState(): SourceState {
    if (this.judgement.isUnderWay) return "judged";
    if (this.isHeld()) return "held";
    return this.isBehind() ? "behind" : this.standing.became;
  }

  /**
   * Publishes the policy that is held or behind, if it is the one of this hash, whatever the number of sessions is by now.
   * @param actor the public name of who asks
   */
  confirm(hash: string, actor: string): Promise<Confirmation> {
    const confirmed = this.inTurn<Confirmation>(async () => {
      // What is behind has perhaps not been counted yet, and the audit log is to have the number.
      const held = this.isBehind() ? await this.hold.recounted() : this.hold.now();
      if (held === undefined) return { outcome: "noneHeld" };
      if (held.hash !== hash) return { outcome: "anotherHeld" };
      const { sessions } = held.ended;
      const outcome = await this.decisions.decide(held.accepted, { actor, sessions });
      await this.settle(outcome, held.accepted);
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
    await this.stopLooking();
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
      this.failures.sayOfSource(error);
      return false;
    }
  }

  private look(): void {
    if (this.parts.shared === undefined) return;
    this.stopLooking = lookAtStoredPolicy({
      timers: this.parts.shared.timers,
      takeStored: () => this.inForce.takeStored(),
      sayFailed: (error) => {
        this.failures.sayOfStored(error);
      },
      looked: () => {
        this.hold.sayBehind(this.inForce.now().generation);
      },
    });
  }

  /** Another generation is in force: perhaps what stands in the source, perhaps what another one has put in its place. */
  private compare(): void {
    const { policyJson, generation } = this.inForce.now();
    if (this.standing.says(policyJson)) {
      this.standing.settled("taken", this.inForce.now(), generation);
      this.hold.drop();
      this.rejections.forget();
    } else if (this.parts.shared !== undefined) {
      const replaced = this.standing.takenOtherThan(policyJson);
      if (replaced !== undefined) this.hold.keepBehind(replaced);
    }
  }

  private async take(reading: SourceReading): Promise<void> {
    // Tried again each second, a file that cannot be read is said to be so once.
    const unread = reading.isUnread === true && "violations" in reading ? (reading.violations[0]?.message ?? "") : null;
    if (unread !== null && unread === this.saidUnread) return;
    if (this.parts.shared !== undefined && !("violations" in reading)) await this.inForce.takeStored();
    await this.settle(await this.decisions.decide(reading), acceptedOf(reading), reading.textHash);
    this.saidUnread = unread;
  }

  private async settle(outcome: PolicyOutcome, text: AcceptedPolicy | undefined, textHash?: string): Promise<void> {
    const { generation } = this.inForce.now();
    this.judgement.done();
    const { kind } = outcome;
    if (kind === "rejected" || kind === "held") this.standing.settled(kind, text);
    else this.standing.settled("taken", text, outcome.generation);
    if (kind !== "held" && kind !== "behind") this.hold.drop();
    if (kind !== "rejected") this.rejections.forget();
    if (kind === "rejected") await this.rejections.say(outcome.violations, generation, textHash);
    else if (kind === "held") await this.hold.hold(outcome.accepted, outcome.ended, generation);
    else if (kind === "behind") {
      this.hold.keepBehind(outcome.accepted);
      this.hold.sayBehind(generation, true);
    } else {
      const { logger, source } = this.parts;
      const fields = { event: `policy-${kind}`, source: source.name, generation: outcome.generation };
      logger.info(fields, `policy ${kind}`);
    }
    // Since it was decided on, another one's decision may have come into force.
    this.compare();
  }
}

const acceptedOf = (reading: PolicyReading): AcceptedPolicy | undefined =>
  "violations" in reading ? undefined : reading;
