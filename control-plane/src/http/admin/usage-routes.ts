// The admin routes of a session's usage: consume from its budget, its buckets, what it spent where.
import { consumeTokens } from "../../app/sessions/consume-tokens.js";
import { showBuckets, showUsage } from "../../app/sessions/show-usage.js";
import type { UsagePorts } from "../../app/edges/usage.js";
import { sendError } from "../errors.js";
import { issuedByOf, keyOf } from "../guard.js";
import { COMMON, errorAnswers, OF_A_BODY, SessionParams } from "../schemas.js";
import type { HttpApp } from "../app.js";
import { fleetOf } from "./fleet-schemas.js";
import { BucketsAnswer, ConsumeAnswer, ConsumeBody, ConsumeHeaders, UsageAnswer } from "./usage-schemas.js";

const MAX_BODY_BYTES = 1024;
const tags = ["usage"];
const security = [{ adminToken: [] }];
const OF_AN_ID = ["SESSION_NOT_FOUND", "URL_TOO_LONG"] as const;
const READ_ANSWERS = errorAnswers(...COMMON, ...OF_AN_ID);

/** To be called in a scope that `guardAdmins` keeps. */
export function usageRoutes(app: HttpApp, ports: UsagePorts): void {
  consumeRoute(app, ports);

  const buckets = {
    operationId: "showBuckets",
    tags,
    security,
    summary: "What the session's buckets hold, by edge",
    params: SessionParams,
    response: { 200: BucketsAnswer, ...READ_ANSWERS },
  };
  app.get("/v1/sessions/:id/bucket", { schema: buckets, config: { scope: "read" } }, async (request, reply) => {
    const shown = await showBuckets(ports, request.params.id, issuedByOf(request));
    if (shown === undefined) return sendError(reply, "SESSION_NOT_FOUND");
    const buckets = shown.buckets.map((bucket) => ({ ...bucket, limits: [...bucket.limits] }));
    return reply.code(200).send({ buckets, ...fleetOf(shown) });
  });

  const usage = {
    operationId: "showUsage",
    tags,
    security,
    summary: "What the session spent, by edge and instance",
    params: SessionParams,
    response: { 200: UsageAnswer, ...READ_ANSWERS },
  };
  app.get("/v1/sessions/:id/usage", { schema: usage, config: { scope: "read" } }, async (request, reply) => {
    const shown = await showUsage(ports, request.params.id, issuedByOf(request));
    if (shown === undefined) return sendError(reply, "SESSION_NOT_FOUND");
    const edges = shown.edges.map((edge) => ({ ...edge, instances: [...edge.instances] }));
    const { consumed, direct } = shown;
    return reply.code(200).send({ consumed, direct, edges, ...fleetOf(shown) });
  });
}

function consumeRoute(app: HttpApp, ports: UsagePorts): void {
  const schema = {
    operationId: "consumeTokens",
    tags,
    security,
    summary: "Spend from the session's token budget: all tokens or none. With an Idempotency-Key it may be repeated",
    params: SessionParams,
    headers: ConsumeHeaders,
    body: ConsumeBody,
    response: {
      200: ConsumeAnswer,
      ...errorAnswers(
        ...COMMON,
        ...OF_AN_ID,
        ...OF_A_BODY,
        "SESSION_ENDED",
        "NO_TOKEN_BUDGET",
        "TOKEN_BUDGET_EXCEEDED",
        "IDEMPOTENCY_KEY_REUSED",
        "NO_POLICY",
        "NOT_WRITTEN",
      ),
    },
  };
  app.post("/v1/sessions/:id/consume", { schema, bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
    const key = keyOf(request) ?? null;
    const outcome = await consumeTokens(ports, request.params.id, request.body.count, key);
    switch (outcome?.outcome) {
      case "repeated":
      case "consumed": {
        if (outcome.outcome === "repeated") reply.header("idempotent-replayed", "true");
        const { budget, consumed } = outcome;
        return reply.code(200).send({ budget, consumed, remaining: Math.max(0, budget - consumed) });
      }
      case "overBudget": {
        const left = Math.max(0, outcome.budget - outcome.consumed);
        const message = `The session has ${left} tokens of its budget left: nothing was taken`;
        return sendError(reply, "TOKEN_BUDGET_EXCEEDED", { message });
      }
      case "noBudget":
        return sendError(reply, "NO_TOKEN_BUDGET");
      case "ended":
        return sendError(reply, "SESSION_ENDED");
      case "keyReused":
        return sendError(reply, "IDEMPOTENCY_KEY_REUSED", { field: "idempotency-key" });
      case "unknown":
        return sendError(reply, "SESSION_NOT_FOUND");
      case undefined:
        return sendError(reply, "NO_POLICY");
    }
  });
}
