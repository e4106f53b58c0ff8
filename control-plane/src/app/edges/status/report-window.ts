// Within which time every worker that is alive has spoken: two reports, and some time beside.
import { graceMs } from "../../../domain/idleness.js";
import type { Clock, CurrentPolicy } from "../../ports/ports.js";

/** Without a policy workers report by the filter's built-in interval, 5 s. */
export const WITHOUT_POLICY_MS = 20_000;

/**
 * 2 × reportInterval + 10 s. When a policy shortens it, the longer one counts until the shorter has passed: workers go on
 * in their old rhythm until they have taken the policy.
 */
export class ReportWindow {
  private shorterMs = 0;
  private longerMs = 0;
  private longerUntilMs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly policies: CurrentPolicy,
  ) {}

  ms(): number {
    const policy = this.policies.current()?.policy;
    const wantedMs = policy === undefined ? WITHOUT_POLICY_MS : graceMs(policy);
    const nowMs = this.clock.monotonicMs();
    if (wantedMs < this.shorterMs) {
      this.longerMs = Math.max(this.shorterMs, nowMs < this.longerUntilMs ? this.longerMs : 0);
      this.longerUntilMs = nowMs + wantedMs;
    }
    this.shorterMs = wantedMs;
    return nowMs < this.longerUntilMs ? Math.max(wantedMs, this.longerMs) : wantedMs;
  }
}
