// The policy that waits for an operator's word: because it would end live sessions (docs/decisions/0058-a-policy-that-ends-sessions-waits.md),
// or because another control plane has put a newer one in its place (docs/decisions/0077-two-followers-of-one-policy.md).
import type { PlansOfPolicy } from "../../domain/plan.js";
import { policyHash } from "../../domain/policy/policy-hash.js";
import { logAudit } from "../access/audit.js";
import type { AcceptedPolicy } from "../ports/policy-ports.js";
import { NONE_ENDED } from "./ended-sessions.js";
import type { EndedSessions } from "./ended-sessions.js";
import { eventOf, ofStore } from "./policy-steps.js";
import type { PolicyServiceParts } from "./policy-steps.js";

export interface HeldPolicy {
  readonly why: "ends" | "behind";
  readonly accepted: AcceptedPolicy;
  /** As it has it once it is published: of its canonical form, so that comments and spelling change nothing. */
  readonly hash: string;
  /** Since when it is held, ms since the epoch. */
  readonly since: number;
  /** What it would end, and when that was counted. */
  readonly ended: EndedSessions;
  readonly countedAt: number;
}

/** Whoever looks at it again and again has the sessions counted once in this time. */
const COUNT_EVERY_MS = 5000;
/** Nobody is kept waiting for a count that takes longer: the last one is shown, and the next look has the new one. */
const MAX_WAIT_MS = 1000;
/** Files reach control planes minutes apart: only one that stays behind is worth a line. */
const BEHIND_FOR_MS = 180_000;
/** Of a thousand plans a sentence names so many. */
const MAX_NAMED_PLANS = 10;

export class PolicyHold {
  private held: HeldPolicy | undefined;
  private isAudited = false;
  private counting: Promise<void> | undefined;
  private countedAtMs = 0;
  /** Since when it is behind, monotonic ms, while that is not said. */
  private silentSinceMs: number | undefined;

  constructor(
    private readonly parts: PolicyServiceParts,
    /** What a policy would end in place of the one in force now. */
    private readonly count: (after: PlansOfPolicy) => Promise<EndedSessions>,
  ) {}

  now(): HeldPolicy | undefined {
    return this.held;
  }

  /** Why a policy waits; undefined: none does. */
  why(): HeldPolicy["why"] | undefined {
    return this.held?.why;
  }

  /** In place of the one that was held. The same one again is said once. @throws StoreFailure where it is not audited */
  async hold(accepted: AcceptedPolicy, ended: EndedSessions, generation: number): Promise<void> {
    const hash = policyHash(accepted.policyJson);
    const former = this.held?.hash === hash && this.held.why === "ends" ? this.held : undefined;
    const countedAt = this.parts.clock.nowMs();
    this.held = { why: "ends", accepted, hash, since: former?.since ?? countedAt, ended, countedAt };
    this.silentSinceMs = undefined;
    this.countedAtMs = this.parts.clock.monotonicMs();
    if (former === undefined) this.say(this.held, generation);
    if (former !== undefined && this.isAudited) return;
    this.isAudited = false;
    const { logger, source, audit } = this.parts;
    const details = { source: source.name, generation, hash, sessions: ended.sessions };
    const event = eventOf(this.parts, "policy-held", details);
    await ofStore(audit.appendAudit(event));
    this.isAudited = true;
    logAudit(logger, event);
  }

  /** The source says a policy still that a newer one has replaced. What it would end is counted once somebody looks. */
  keepBehind(accepted: AcceptedPolicy): void {
    const hash = policyHash(accepted.policyJson);
    if (this.held?.hash === hash && this.held.why === "behind") return;
    const since = this.parts.clock.nowMs();
    this.held = { why: "behind", accepted, hash, since, ended: NONE_ENDED, countedAt: since };
    this.countedAtMs = -Infinity;
    this.silentSinceMs = this.parts.clock.monotonicMs();
  }

  /** Once, where the source has been behind for long, or `now`. */
  sayBehind(generation: number, now = false): void {
    const { silentSinceMs, held } = this;
    if (held === undefined || silentSinceMs === undefined) return;
    if (!now && this.parts.clock.monotonicMs() - silentSinceMs < BEHIND_FOR_MS) return;
    this.silentSinceMs = undefined;
    const { logger, source } = this.parts;
    const fields = { event: "policy-file-behind", source: source.name, hash: held.hash, generation };
    const how = `save the newer text there; if the older one is meant: sluice policy confirm ${held.hash}`;
    logger.warn(fields, `policy not taken, generation ${generation} has replaced it and stays in force: ${how}`);
  }

  drop(): void {
    this.held = undefined;
    this.silentSinceMs = undefined;
  }

  /** The one that is held now; where counting is quick, with a count that is a few seconds old at the most. */
  async recounted(): Promise<HeldPolicy | undefined> {
    const { held } = this;
    if (held !== undefined && this.parts.clock.monotonicMs() - this.countedAtMs >= COUNT_EVERY_MS) {
      this.counting ??= this.countAgain(held).finally(() => {
        this.counting = undefined;
      });
      if (held.ended.tookMs <= MAX_WAIT_MS) await this.counting;
      else this.counting.catch(() => undefined);
    }
    return this.held;
  }

  /** Resolves once nothing is counted. */
  async atRest(): Promise<void> {
    await this.counting?.catch(() => undefined);
  }

  private async countAgain({ accepted, hash }: HeldPolicy): Promise<void> {
    const countedAt = this.parts.clock.nowMs();
    const ended = await this.count(accepted.policy);
    // Meanwhile it may have been confirmed, or another one saved.
    if (this.held?.hash !== hash) return;
    this.held = { ...this.held, ended, countedAt };
    this.countedAtMs = this.parts.clock.monotonicMs();
  }

  private say({ hash, ended: { sessions, plans } }: HeldPolicy, generation: number): void {
    const { logger, source } = this.parts;
    const fields = { event: "policy-held", source: source.name, hash, sessions, plans, generation };
    const named = plans.slice(0, MAX_NAMED_PLANS).map((one) => `${one.sessions} of ${one.plan}`);
    const more = plans.length > MAX_NAMED_PLANS ? ` and of ${plans.length - MAX_NAMED_PLANS} more plans` : "";
    const what = `${sessions === 1 ? "1 live session" : `${sessions} live sessions`} (${named.join(", ")}${more})`;
    const how = `durations without a unit are ms; if it is meant: sluice policy confirm ${hash}`;
    logger.error(fields, `policy held back, it would end ${what}: generation ${generation} stays in force; ${how}`);
  }
}
