// The admin routes of revocation by user or organisation: ask for one, and see how far it is.
import { Type } from "typebox";

import { MAX_ID_CHARS } from "../../domain/session.js";
import type { BulkRevocation } from "../../domain/stored.js";
import type { BulkRevocations } from "../../app/sessions/bulk-revocations.js";
import type { Confirmed } from "../../app/edges/confirmations.js";
import type { RevocationWaits } from "../../app/sessions/revocation-waits.js";
import { sendError } from "../errors.js";
import { actorOf } from "../guard.js";
import { EXAMPLE_REVOCATION } from "../examples.js";
import {
  COMMON,
  CONFIRMATION,
  errorAnswers,
  integer,
  integerOrNull,
  OF_A_BODY,
  RevocationParams,
  strictObject,
  text,
  timeMs,
  withExample,
  word,
} from "../schemas.js";
import type { HttpApp } from "../app.js";

const tags = ["sessions"];
const security = [{ adminToken: [] }];

const Filter = strictObject({
  userId: Type.Optional(withExample(text(1, MAX_ID_CHARS), "u1")),
  orgId: Type.Optional(text(1, MAX_ID_CHARS)),
});

const RevocationSchema = Type.Object(
  {
    id: Type.String({ description: "under which its progress is shown" }),
    userId: Type.Optional(Type.String({ description: "whose sessions; absent where it is about an organisation's" })),
    orgId: Type.Optional(Type.String({ description: "whose sessions; absent where it is about a user's" })),
    state: word(["running", "finished"], "whether all of them were looked at"),
    createdAt: timeMs("when it was asked for; sessions issued later are not meant"),
    finishedAt: integerOrNull("ms since the epoch, null while it runs"),
    examined: integer("sessions looked at so far"),
    revoked: integer("of those, the ones it revoked; the others had been revoked before"),
    ...CONFIRMATION,
  },
  { title: "Revocation", description: "a revocation of many sessions, and how far it is" },
);
const BegunAnswer = Type.Object(
  { revocation: RevocationSchema },
  {
    description: "the revocation is durable, and goes on by itself",
    examples: [EXAMPLE_REVOCATION.begun],
    headers: { location: Type.String({ description: "where its progress is shown" }) },
  },
);
const ProgressAnswer = Type.Object(
  { revocation: RevocationSchema },
  { description: "how far the revocation is", examples: [EXAMPLE_REVOCATION.finished] },
);

/** To be called in a scope that `guardAdmins` keeps. */
export function revocationRoutes(app: HttpApp, revocations: BulkRevocations, waits: RevocationWaits): void {
  const begin = {
    operationId: "revokeSessions",
    tags,
    security,
    summary: "Revoke all sessions of a user or of an organisation that there are now",
    querystring: Filter,
    response: { 202: BegunAnswer, ...errorAnswers(...COMMON, ...OF_A_BODY, "NOT_WRITTEN") },
  };
  app.delete("/v1/sessions", { schema: begin }, async (request, reply) => {
    const { userId, orgId } = request.query;
    if ((userId === undefined) === (orgId === undefined)) {
      return sendError(reply, "INVALID_REQUEST", { message: "Expected exactly one of userId and orgId in the query" });
    }
    const filter = userId === undefined ? { orgId: orgId ?? "" } : { userId };
    const operation = await revocations.revoke(filter, actorOf(request));
    reply.header("location", `/v1/revocations/${operation.id}`);
    return reply.code(202).send(shown(operation, await waits.now(operation)));
  });

  const show = {
    operationId: "showRevocation",
    tags,
    security,
    summary: "How far a revocation of a user's or an organisation's sessions is; kept for a day after it was asked for",
    params: RevocationParams,
    response: { 200: ProgressAnswer, ...errorAnswers(...COMMON, "REVOCATION_NOT_FOUND", "URL_TOO_LONG") },
  };
  app.get("/v1/revocations/:id", { schema: show }, async (request, reply) => {
    const operation = await revocations.find(request.params.id);
    if (operation === undefined) return sendError(reply, "REVOCATION_NOT_FOUND");
    return reply.code(200).send(shown(operation, await waits.now(operation)));
  });
}

function shown({ filter, log: _log, cursor: _cursor, ...operation }: BulkRevocation, figures: Confirmed) {
  const state = operation.finishedAt === null ? ("running" as const) : ("finished" as const);
  return { revocation: { ...operation, ...filter, state, ...figures, pending: [...figures.pending] } };
}
