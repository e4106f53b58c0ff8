// Whether a policy would end live sessions in place of the one in force; and when that cannot be said yet.
import { plansThatEndSooner } from "../../domain/ended-by-policy.js";
import type { PolicyChange } from "../../domain/ended-by-policy.js";
import type { PlansOfPolicy } from "../../domain/plan.js";
import type { AcceptedPolicy } from "../ports/policy-ports.js";
import type { ActivePolicy } from "../ports/ports.js";
import { countEndedSessions } from "./ended-sessions.js";
import type { EndedSessions } from "./ended-sessions.js";
import { ofStore } from "./policy-steps.js";
import type { PolicyServiceParts } from "./policy-steps.js";

/** Of 100 sessions. What takes longer is counted once this process listens: until then the stored policy serves. */
const COUNT_STEPS_AT_START = 20;

/** Nothing is known of the sessions: the process stops, or only starts. The same policy is worth another try. */
export class CountCutShort extends Error {}

export class PolicyJudgement {
  /** From the first look at a policy until it is decided on, however often it is tried. */
  isUnderWay = false;
  isStopped = false;
  private isStarting = true;
  /** The policy that was found at the start and waits for the clock. */
  private waiting: string | undefined;
  private readonly startedAtMs: number;

  constructor(
    private readonly parts: PolicyServiceParts,
    private readonly inForce: () => ActivePolicy,
  ) {
    this.startedAtMs = parts.clock.monotonicMs();
  }

  /** What is judged from now on was not found at the start. */
  started(): void {
    this.isStarting = false;
  }

  stop(): void {
    this.isStopped = true;
  }

  /** The policy is decided on. */
  done(): void {
    this.isUnderWay = false;
    this.waiting = undefined;
  }

  /** @throws CountCutShort, StoreFailure */
  async judge(accepted: AcceptedPolicy): Promise<EndedSessions> {
    this.isUnderWay = true;
    if (this.mustWait(accepted)) throw new CountCutShort();
    return this.wouldEnd(accepted.policy);
  }

  /** @throws CountCutShort, StoreFailure */
  async wouldEnd(after: PlansOfPolicy): Promise<EndedSessions> {
    const listeningMs = this.parts.clock.monotonicMs() - this.startedAtMs;
    let steps = 0;
    const isCut = (): boolean => this.isStopped || (this.isStarting && steps > COUNT_STEPS_AT_START);
    const stopped = (): boolean => {
      steps += 1;
      return isCut();
    };
    const ended = await ofStore(countEndedSessions(this.parts, this.changeTo(after), listeningMs, stopped));
    if (isCut()) throw new CountCutShort();
    return ended;
  }

  private changeTo(after: PlansOfPolicy): PolicyChange {
    return { before: this.inForce().policy, after };
  }

  /** A machine may start before its clock is set: how old sessions are, nobody knows then. */
  private mustWait({ policy, policyJson }: AcceptedPolicy): boolean {
    const isOfStart = this.isStarting || policyJson === this.waiting;
    if (!isOfStart || this.parts.clock.isSettled()) return false;
    if (plansThatEndSooner(this.changeTo(policy)).length === 0) return false;
    if (this.waiting === undefined) this.sayWaiting();
    this.waiting = policyJson;
    return true;
  }

  private sayWaiting(): void {
    const { logger, source } = this.parts;
    const fields = { event: "policy-waits-for-clock", source: source.name, generation: this.inForce().generation };
    logger.info(fields, "whether this policy ends live sessions is judged as soon as the clock can be trusted");
  }
}
