// How many sessions are live, by plan, for the metrics: counted in the store, and no more often than a few seconds.
import type { Clock, CurrentPolicy, SessionStore } from "../ports/ports.js";

/** Anyone may ask for the metrics; however often they do, the store is counted once in this time. */
const COUNT_EVERY_MS = 5000;

export class LiveSessions {
  private counted: Promise<ReadonlyMap<string, number>> | undefined;
  private countedAtMs = 0;

  constructor(
    private readonly store: SessionStore,
    private readonly policies: CurrentPolicy,
    private readonly clock: Clock,
  ) {}

  /** Plan name to number of live sessions, for every plan of the policy in force. */
  byPlan(): Promise<ReadonlyMap<string, number>> {
    const nowMs = this.clock.monotonicMs();
    if (this.counted === undefined || nowMs - this.countedAtMs >= COUNT_EVERY_MS) {
      this.countedAtMs = nowMs;
      this.counted = this.count();
    }
    return this.counted;
  }

  private async count(): Promise<ReadonlyMap<string, number>> {
    const nowMs = this.clock.nowMs();
    const counts = new Map<string, number>();
    for (const plan of this.policies.current()?.policy.plans ?? []) {
      // Live until createdAt + lifetime, exclusive: created after now - lifetime.
      counts.set(plan.name, await this.store.countLive(plan.id, nowMs - plan.lifetime + 1));
    }
    return counts;
  }
}
