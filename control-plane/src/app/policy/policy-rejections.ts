// What is said of a rejected policy: each rejection once in the log, with all violations, and once in the audit log.
import { logAudit } from "../access/audit.js";
import type { PolicyViolation } from "../ports/policy-ports.js";
import { ofStore, rejection } from "./policy-steps.js";
import type { PolicyServiceParts } from "./policy-steps.js";

export class PolicyRejections {
  /** The text and its violations. Saved again, or tried again each second while the audit log takes nothing, it is the same. */
  private logged: string | null = null;
  private audited: string | null = null;

  constructor(private readonly parts: PolicyServiceParts) {}

  /** @throws StoreFailure where it is not audited */
  async say(violations: readonly PolicyViolation[], generation: number, textHash = ""): Promise<void> {
    const { logger, source, audit } = this.parts;
    const said = textHash + JSON.stringify(violations);
    if (said !== this.logged) {
      const fields = { event: "policy-rejected", source: source.name, violations, generation };
      logger.error(fields, `policy rejected, generation ${generation} stays in force`);
    }
    this.logged = said;
    if (said === this.audited) return;
    const audited = rejection(this.parts, violations, generation);
    await ofStore(audit.appendAudit(audited));
    logAudit(logger, audited);
    this.audited = said;
  }

  /** What stands there now is another document. */
  forget(): void {
    this.logged = this.audited = null;
  }
}
