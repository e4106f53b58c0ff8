// Metrics of the policy: which generation is in force, and whether the file says what cannot be taken.
import { Gauge } from "prom-client";
import type { Registry } from "prom-client";

import type { CurrentPolicy } from "../../app/ports/ports.js";
import { PREFIX } from "./metrics.js";

/** Asked for at each scrape. `isFileRejected`: the source as it stands was refused, and the policy before it serves. */
export function observePolicy(registry: Registry, policies: CurrentPolicy & { isFileRejected(): boolean }): void {
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
}
