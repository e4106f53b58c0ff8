// The admin routes of sessions: issue, show, revoke.
import { Type } from "typebox";

import { issueSession } from "../app/issue-session.js";
import { revokeSession } from "../app/revoke-session.js";
import type { SessionPorts } from "../app/sessions.js";
import { showSession } from "../app/show-session.js";
import { sendError } from "./errors.js";
import { guard } from "./guard.js";
import { CreatedAnswer, CreateSessionBody, errorAnswers, SessionAnswer, SessionParams } from "./schemas.js";
import type { HttpApp } from "./server.js";

/** What an admin sends is a few short strings. */
const MAX_BODY_BYTES = 16 * 1024;
const security = [{ adminToken: [] }];
const tags = ["sessions"];

export function sessionRoutes(
  app: HttpApp,
  ports: SessionPorts,
  isAdmin: (header: string | undefined) => boolean,
): void {
  guard(app, isAdmin);

  const create = {
    tags,
    security,
    summary: "Issue a session and, this once, its token",
    body: CreateSessionBody,
    response: {
      201: CreatedAnswer,
      ...errorAnswers("INVALID_REQUEST", "UNKNOWN_PLAN", "MALFORMED_JSON", "UNAUTHORIZED"),
      ...errorAnswers("BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE", "INTERNAL", "NO_POLICY"),
    },
  };
  app.post("/v1/sessions", { schema: create, bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
    const { userId, orgId, plan, metadata = {} } = request.body;
    const issued = await issueSession(ports, { userId, orgId, plan, metadata });
    switch (issued.outcome) {
      case "issued":
        return reply.code(201).send({ session: issued.session, token: issued.token });
      case "noPolicy":
        return sendError(reply, "NO_POLICY");
      case "unknownPlan":
        return sendError(reply, "UNKNOWN_PLAN", { field: "plan" });
    }
  });

  const show = {
    tags,
    security,
    summary: "Show a session",
    params: SessionParams,
    response: {
      200: SessionAnswer,
      ...errorAnswers("INVALID_REQUEST", "UNAUTHORIZED", "SESSION_NOT_FOUND", "URL_TOO_LONG", "INTERNAL"),
    },
  };
  app.get("/v1/sessions/:id", { schema: show }, async (request, reply) => {
    const session = await showSession(ports, request.params.id);
    return session === undefined ? sendError(reply, "SESSION_NOT_FOUND") : reply.code(200).send({ session });
  });

  const revoke = {
    tags,
    security,
    summary: "Revoke a session. Repeating it is 204 again; a session that never was is 404",
    params: SessionParams,
    response: {
      204: Type.Null({ description: "the session is revoked, durably" }),
      ...errorAnswers("INVALID_REQUEST", "UNAUTHORIZED", "SESSION_NOT_FOUND", "URL_TOO_LONG", "INTERNAL"),
    },
  };
  app.delete("/v1/sessions/:id", { schema: revoke }, async (request, reply) => {
    const outcome = await revokeSession(ports, request.params.id);
    return outcome === "unknown" ? sendError(reply, "SESSION_NOT_FOUND") : reply.code(204).send(null);
  });
}
