// The audit log: the line that each event also gives in the process's log, and the pages that operators read.
import type { AuditEvent } from "../../domain/stored.js";
import type { Changes } from "../../domain/changes.js";
import type { AuditEntry, AuditStore } from "../ports/audit-ports.js";
import type { Logger } from "../ports/ports.js";

/** Decisions on the policy's file have a line of their own in the log, that says more: it is not repeated. */
const SAID_BY_POLICY: ReadonlySet<string> = new Set(["policy-accepted", "policy-rejected", "policy-held"]);

/** To be called once the event is durable. */
export function logAudit(logger: Logger, { at, actor, action, sessionId, details }: AuditEvent): void {
  if (SAID_BY_POLICY.has(action)) return;
  logger.info({ event: "audit", at, actor, action, sessionId, details }, action);
}

/** The lines of what a decision has written. */
export function logAudited(logger: Logger, { audit = [] }: Changes): void {
  for (const event of audit) logAudit(logger, event);
}

/** A page of a list. `next` is where the page after it begins, null after the last. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  readonly next: number | null;
}

/** The newest entries, or those before one. */
export async function readAudit(store: AuditStore, before: number | undefined, limit: number): Promise<AuditPage> {
  const entries = await store.auditBefore(before, limit + 1);
  const more = entries.length > limit;
  const page = more ? entries.slice(0, limit) : entries;
  return { entries: page, next: more ? (page.at(-1)?.number ?? null) : null };
}
