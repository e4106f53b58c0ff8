// What is said of a rejected policy: each rejection once in the log, with all violations, and once in the audit log.
import { logAudit } from "../access/audit.js";
import type { PolicyViolation } from "../ports/policy-ports.js";
import { ofStore, rejection } from "./policy-steps.js";
import type { PolicyServiceParts } from "./policy-steps.js";

export class PolicyRejections {
  /** One that was logged and that the audit log did not take: tried again each second, it is not logged again. */
  private unaudited: string | null = null;

  constructor(private readonly parts: PolicyServiceParts) {}

  /** @throws StoreFailure where it is not audited */
  async say(violations: readonly PolicyViolation[], generation: number): Promise<void> {
    const { logger, source, audit } = this.parts;
    const said = JSON.stringify(violations);
    if (said !== this.unaudited) {
      const fields = { event: "policy-rejected", source: source.name, violations, generation };
      logger.error(fields, `policy rejected, generation ${generation} stays in force`);
    }
    this.unaudited = said;
    const audited = rejection(this.parts, violations, generation);
    await ofStore(audit.appendAudit(audited));
    logAudit(logger, audited);
    this.unaudited = null;
  }

  /** What stands there now is another document. */
  forget(): void {
    this.unaudited = null;
  }
}
