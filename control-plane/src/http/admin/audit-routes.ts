// The route of the audit log, for operators.
import { readAudit } from "../../app/access/audit.js";
import type { AuditStore } from "../../app/ports/audit-ports.js";
import { auditCursor, readAuditCursor } from "./cursors.js";
import { sendError } from "../errors.js";
import { wrongField } from "../field-violations.js";
import { AuditAnswer, CURSOR, DEFAULT_PAGE, AuditQuery } from "./operator-schemas.js";
import { COMMON, errorAnswers } from "../schemas.js";
import type { HttpApp } from "../app.js";

export function auditRoutes(app: HttpApp, store: AuditStore): void {
  const list = {
    operationId: "listAuditEntries",
    tags: ["audit"],
    security: [{ adminToken: [] }],
    summary:
      "Who revoked sessions, changed plans and re-issued tokens, and which policies were accepted and rejected; the newest first",
    querystring: AuditQuery,
    response: {
      200: AuditAnswer,
      ...errorAnswers(...COMMON),
    },
  };
  app.get("/v1/audit", { schema: list }, async (request, reply) => {
    const { limit = DEFAULT_PAGE, cursor } = request.query;
    const before = cursor === undefined ? undefined : readAuditCursor(cursor);
    if (cursor !== undefined && before === undefined) {
      return sendError(reply, "INVALID_REQUEST", wrongField("cursor", CURSOR));
    }
    const { entries, next } = await readAudit(store, before, limit);
    return reply.code(200).send({ entries: [...entries], cursor: next === null ? null : auditCursor(next) });
  });
}
