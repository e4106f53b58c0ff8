// Metrics of the policy: which generation is in force, and whether the file says what cannot be taken.
import { Gauge } from "prom-client";
import type { Registry } from "prom-client";

import type { ActivePolicy } from "../../app/ports/ports.js";
import { PREFIX } from "./metrics.js";

export interface ObservedPolicies {
  current(): ActivePolicy | undefined;
  /** The source as it is was rejected, and the policy before it stays in force. */
  isFileRejected(): boolean;
  /** It waits for an operator's confirmation, and the policy before it stays in force. */
  isHeld(): boolean;
  /** It is an older policy, which another control plane over the same store has replaced. */
  isBehind(): boolean;
}

/** Asked for at each scrape. */
export function observePolicy(registry: Registry, policies: ObservedPolicies): void {
  const gauge = (name: string, help: string, value: () => number): Gauge =>
    new Gauge({
      name: `${PREFIX}${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  gauge("policy_generation", "Generation of the policy in force", () => policies.current()?.generation ?? 0);
  gauge("policy_file_rejected", "1 while the policy file is rejected and the policy before it stays", () =>
    policies.isFileRejected() ? 1 : 0,
  );
  gauge("policy_held", "1 while the policy file would end live sessions and waits for a confirmation", () =>
    policies.isHeld() ? 1 : 0,
  );
  gauge("policy_file_behind", "1 while the policy file has an older policy than another control plane published", () =>
    policies.isBehind() ? 1 : 0,
  );
}
