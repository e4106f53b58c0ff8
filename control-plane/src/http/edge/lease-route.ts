// The edge protocol's lease: what an edge may spend of fleet budgets (docs/edge-protocol.md).
import { MAX_EDGE_BODY_BYTES, PATH_LEASE } from "../../../../assembly/contract.js";
import { leaseTokens } from "../../app/edges/lease-tokens.js";
import type { LeaseOfCall } from "../../app/edges/lease-tokens.js";
import type { UsagePorts } from "../../app/edges/usage.js";
import type { LeaseAnswer } from "../../domain/leases/lease-ask.js";
import type { HttpApp } from "../app.js";
import { sendError } from "../errors.js";
import { errorAnswers } from "../schemas.js";
import { readLeaseAsks } from "./lease-asks.js";
import { LeaseAnswerSchema, LeaseBody } from "./lease-schemas.js";

/** To be called in a scope that `guardEdges` keeps. */
export function leaseRoute(app: HttpApp, ports: UsagePorts): void {
  const schema = {
    operationId: "leaseTokens",
    tags: ["edge"],
    security: [{ edgeCredential: [] }],
    summary: "Tokens of fleet budgets, for an edge to spend; answered once it is durable who has them",
    body: LeaseBody,
    response: {
      200: LeaseAnswerSchema,
      ...errorAnswers("INVALID_REQUEST", "MALFORMED_JSON", "UNAUTHORIZED", "TOO_MANY_REQUESTS"),
      ...errorAnswers("BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE", "INTERNAL", "NOT_READY", "NOT_WRITTEN"),
    },
  };
  app.post(PATH_LEASE, { schema, bodyLimit: MAX_EDGE_BODY_BYTES }, async (request, reply) => {
    const { edge, instance, asks } = request.body;
    const answer = await leaseTokens(ports, { edge, instance, ...readLeaseAsks(asks) });
    if (answer !== undefined) return reply.code(200).send({ log: answer.log, leases: answer.leases.map(leaseOfCall) });
    return sendError(reply, "NOT_READY", { message: "Too much waits to be written: ask again in a while" });
  });
}

export function leaseOfCall({ sessionId, ...lease }: LeaseOfCall) {
  if ("over" in lease) return { session: sessionId, ask: lease.ask, over: true as const };
  if (lease.is !== undefined) return { session: sessionId, ask: lease.ask, is: lease.is };
  return { session: sessionId, ...leaseOf(lease) };
}

/** As the lease call and an acquire say it. */
export function leaseOf({ ask, granted, ttlMs, refused }: LeaseAnswer) {
  const lease = { ask, granted: { ...granted }, ttl: ttlMs };
  if (refused === undefined) return lease;
  return { ...lease, refused: { limit: refused.bucket, retryAfter: refused.retryAfterMs } };
}
