// The admin route that lists sessions.
import { listSessions } from "../../app/sessions/list-sessions.js";
import type { SessionPorts } from "../../app/sessions/sessions.js";
import { readSessionCursor, sessionCursor } from "./cursors.js";
import { sendError } from "../errors.js";
import { unknownPlan, wrongField } from "../field-violations.js";
import { CURSOR, DEFAULT_PAGE, ListAnswer, ListQuery } from "./operator-schemas.js";
import { COMMON, errorAnswers } from "../schemas.js";
import { issuedByOf } from "../guard.js";
import type { HttpApp } from "../app.js";

export function listRoutes(app: HttpApp, ports: SessionPorts): void {
  const schema = {
    operationId: "listSessions",
    tags: ["sessions"],
    security: [{ adminToken: [] }],
    summary: "List sessions, the newest first",
    description:
      "By issuer, by userId, by orgId, and by plan with state=live it is read from an index; any other filter looks at all " +
      "sessions, a bounded number for each page. An issuer's token lists the sessions that it issued.",
    querystring: ListQuery,
    response: {
      200: ListAnswer,
      ...errorAnswers(...COMMON, "UNKNOWN_PLAN"),
    },
  };
  app.get("/v1/sessions", { schema, config: { scope: "read" } }, async (request, reply) => {
    const { issuer, userId, orgId, plan, state, limit = DEFAULT_PAGE, cursor } = request.query;
    const before = cursor === undefined ? undefined : readSessionCursor(cursor);
    if (cursor !== undefined && before === undefined) {
      return sendError(reply, "INVALID_REQUEST", wrongField("cursor", CURSOR));
    }
    const filter = { issuer, userId, orgId, plan, state };
    const page = await listSessions(ports, filter, { before, limit }, issuedByOf(request));
    if (page === undefined) return sendError(reply, "UNKNOWN_PLAN", unknownPlan(ports.policies));
    const next = page.next === null ? null : sessionCursor(page.next);
    const reportInterval = ports.policies.current()?.policy.controlPlane.reportInterval ?? null;
    return reply.code(200).send({ sessions: [...page.sessions], cursor: next, reportInterval });
  });
}
