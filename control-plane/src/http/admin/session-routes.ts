// The admin routes of one session: issue, show, change plan, re-issue its token, revoke.
import { Type } from "typebox";

import { issueSession } from "../../app/sessions/issue-session.js";
import type { Issued } from "../../app/sessions/issue-session.js";
import { changePlan } from "../../app/sessions/change-plan.js";
import type { UsagePorts } from "../../app/edges/usage.js";
import type { CurrentPolicy } from "../../app/ports/ports.js";
import { reissueToken } from "../../app/sessions/reissue-token.js";
import type { RevocationWaits } from "../../app/sessions/revocation-waits.js";
import { revokeSession } from "../../app/sessions/revoke-session.js";
import type { SessionPorts } from "../../app/sessions/sessions.js";
import { showSession } from "../../app/sessions/show-session.js";
import { readWait, WAIT_FORM } from "../../domain/revocation-wait.js";
import type { Callers } from "../callers.js";
import { hangUpOf } from "../connections.js";
import { sendError } from "../errors.js";
import type { ErrorCode, ErrorDetail } from "../errors.js";
import { unknownPlan, wrongField } from "../field-violations.js";
import { actorOf, issuedByOf, issuerOf, keyOf } from "../guard.js";
import { ConfirmedAnswer, CreateHeaders, ChangePlanBody, ReissuedAnswer, RevokeQuery } from "./operator-schemas.js";
import {
  COMMON,
  CreatedAnswer,
  CreateSessionBody,
  errorAnswers,
  OF_A_BODY,
  SessionAnswer,
  SessionParams,
} from "../schemas.js";
import type { HttpApp } from "../app.js";
import { fleetOf, ShownSessionAnswer } from "./fleet-schemas.js";

const security = [{ adminToken: [] }];
const tags = ["sessions"];
const OF_AN_ID = ["SESSION_NOT_FOUND", "URL_TOO_LONG"] as const;
const OTHER_ORGANISATION = {
  field: "orgId",
  message: "This token issues sessions of one organisation, not of this one",
};

export interface SessionRouteParts {
  readonly waits: RevocationWaits;
  readonly callers: Callers;
}

/** To be called in a scope that `guardAdmins` keeps. */
export function sessionRoutes(app: HttpApp, ports: UsagePorts, { waits, callers }: SessionRouteParts): void {
  createRoute(app, ports, callers);
  showRoute(app, ports);
  changePlanRoute(app, ports);
  reissueRoute(app, ports);
  revokeRoute(app, ports, waits);
}

function createRoute(app: HttpApp, ports: SessionPorts, callers: Callers): void {
  const schema = {
    operationId: "issueSession",
    tags,
    security,
    summary: "Issue a session and, this once, its token. With an Idempotency-Key it may be repeated",
    headers: CreateHeaders,
    body: CreateSessionBody,
    response: {
      201: CreatedAnswer,
      ...errorAnswers(
        ...COMMON,
        ...OF_A_BODY,
        "UNKNOWN_PLAN",
        "SESSION_ENDED",
        "TOO_MANY_SESSIONS",
        "IDEMPOTENCY_KEY_REUSED",
        "NO_POLICY",
        "NOT_WRITTEN",
      ),
    },
  };
  app.post("/v1/sessions", { schema, config: { scope: "issue" } }, async (request, reply) => {
    const { userId, orgId, plan, metadata = {} } = request.body;
    const bound = issuedByOf(request)?.orgId ?? null;
    if (bound !== null && orgId !== bound) return sendError(reply, "FORBIDDEN", OTHER_ORGANISATION);
    const callerIp = callers.namedByProxies(request);
    const said = { userId, orgId, plan, metadata, callerIp, issuer: issuerOf(request) };
    const issued = await issueSession(ports, said, keyOf(request));
    if (issued.outcome !== "issued") return sendError(reply, ...denialOfCreation(issued.outcome, ports.policies));
    if (issued.repeated) reply.header("idempotent-replayed", "true");
    return reply.code(201).send({ session: issued.session, token: issued.token });
  });
}

function denialOfCreation(
  outcome: Exclude<Issued["outcome"], "issued">,
  policies: CurrentPolicy,
): [ErrorCode, ErrorDetail?] {
  switch (outcome) {
    case "noPolicy":
      return ["NO_POLICY"];
    case "unknownPlan":
      return ["UNKNOWN_PLAN", unknownPlan(policies)];
    case "tooManySessions":
      return ["TOO_MANY_SESSIONS"];
    case "keyReused":
      return ["IDEMPOTENCY_KEY_REUSED", { field: "idempotency-key" }];
    case "gone":
      return ["SESSION_ENDED", { message: "The session that this Idempotency-Key made has ended and is not kept" }];
  }
}

function showRoute(app: HttpApp, ports: UsagePorts): void {
  const schema = {
    operationId: "showSession",
    tags,
    security,
    summary: "Show a session",
    params: SessionParams,
    response: { 200: ShownSessionAnswer, ...errorAnswers(...COMMON, ...OF_AN_ID) },
  };
  app.get("/v1/sessions/:id", { schema, config: { scope: "read" } }, async (request, reply) => {
    const shown = await showSession(ports, request.params.id, issuedByOf(request));
    if (shown === undefined) return sendError(reply, "SESSION_NOT_FOUND");
    return reply.code(200).send({ session: shown.session, ...fleetOf(shown) });
  });
}

function changePlanRoute(app: HttpApp, ports: SessionPorts): void {
  const schema = {
    operationId: "changePlan",
    tags,
    security,
    summary: "Change the plan of a live session. It keeps its level, as far as the new bucket holds it",
    params: SessionParams,
    body: ChangePlanBody,
    response: {
      200: SessionAnswer,
      ...errorAnswers(
        ...COMMON,
        ...OF_A_BODY,
        ...OF_AN_ID,
        "UNKNOWN_PLAN",
        "SESSION_ENDED",
        "TOO_MANY_SESSIONS",
        "NO_POLICY",
        "NOT_WRITTEN",
      ),
    },
  };
  app.patch("/v1/sessions/:id", { schema }, async (request, reply) => {
    const changed = await changePlan(ports, request.params.id, request.body.plan, actorOf(request));
    switch (changed.outcome) {
      case "changed":
        return reply.code(200).send({ session: changed.session });
      case "noPolicy":
        return sendError(reply, "NO_POLICY");
      case "unknownPlan":
        return sendError(reply, "UNKNOWN_PLAN", unknownPlan(ports.policies));
      case "unknown":
        return sendError(reply, "SESSION_NOT_FOUND");
      case "ended":
        return sendError(reply, "SESSION_ENDED");
      case "tooManySessions":
        return sendError(reply, "TOO_MANY_SESSIONS");
    }
  });
}

function reissueRoute(app: HttpApp, ports: SessionPorts): void {
  const schema = {
    operationId: "reissueToken",
    tags,
    security,
    summary: "Give out the token of a live session once more, with its present plan. Earlier tokens stay valid",
    params: SessionParams,
    response: {
      200: ReissuedAnswer,
      ...errorAnswers(...COMMON, ...OF_A_BODY, ...OF_AN_ID, "SESSION_ENDED", "NOT_WRITTEN"),
    },
  };
  app.post("/v1/sessions/:id/token", { schema }, async (request, reply) => {
    const reissued = await reissueToken(ports, request.params.id, actorOf(request));
    switch (reissued.outcome) {
      case "reissued":
        return reply.code(200).send({ session: reissued.session, token: reissued.token });
      case "unknown":
        return sendError(reply, "SESSION_NOT_FOUND");
      case "ended":
        return sendError(reply, "SESSION_ENDED");
    }
  });
}

function revokeRoute(app: HttpApp, ports: SessionPorts, waits: RevocationWaits): void {
  const schema = {
    operationId: "revokeSession",
    tags,
    security,
    summary:
      "Revoke a session, and with wait say which edges have confirmed. It may be repeated; a session that never was is 404",
    params: SessionParams,
    querystring: RevokeQuery,
    response: {
      200: ConfirmedAnswer,
      204: Type.Null({ description: "without wait: the session is revoked, durably" }),
      ...errorAnswers(...COMMON, ...OF_A_BODY, ...OF_AN_ID, "NOT_WRITTEN"),
    },
  };
  app.delete("/v1/sessions/:id", { schema, config: { scope: "revoke" } }, async (request, reply) => {
    const { wait } = request.query;
    const waitMs = wait === undefined ? undefined : readWait(wait);
    if (wait !== undefined && waitMs === undefined) {
      return sendError(reply, "INVALID_REQUEST", wrongField("wait", WAIT_FORM));
    }
    const issuedBy = issuedByOf(request);
    const outcome = await revokeSession(ports, request.params.id, { actor: actorOf(request), issuedBy });
    if (outcome === "unknown") return sendError(reply, "SESSION_NOT_FOUND");
    if (waitMs === undefined) return reply.code(204).send(null);
    const gone = hangUpOf(request.raw.socket);
    const figures = await waits.confirmedWithin(waitMs, gone, issuedBy?.issuer ?? null);
    return reply.code(200).send({ revocation: { ...figures, pending: [...figures.pending] } });
  });
}
