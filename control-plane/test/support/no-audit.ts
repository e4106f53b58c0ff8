// An audit log that keeps nothing, for tests of what is beside it.
import type { AuditStore } from "../../src/app/ports/audit-ports.js";

export const noAudit: AuditStore = {
  appendAudit: () => Promise.resolve(),
  auditBefore: () => Promise.resolve([]),
  trimAudit: () => Promise.resolve(0),
};
