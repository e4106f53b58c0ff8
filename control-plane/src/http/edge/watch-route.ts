// The edge protocol's watch: the call that is held until there is a policy or an invalidation
// (docs/edge-protocol.md).
import type { FastifyReply } from "fastify";
import { Type } from "typebox";
import {
  HEADER_GENERATION,
  HEADER_LOG,
  HEADER_POLICY_HASH,
  HEADER_REPORT_SPREAD,
  LOG_CHARS,
  MAX_EDGE_BODY_BYTES,
  PATH_WATCH,
} from "../../../../assembly/contract.js";
import { plainAddress } from "../../app/access/network.js";
import type { PolicyOffer } from "../../app/ports/watch-ports.js";
import type { Watches } from "../../app/edges/watches.js";
import type { Callers } from "../callers.js";
import { hangUpOf } from "../connections.js";
import { FilterSchema, receivedPolicy, ReceivedPolicySchema, hex, TableSchema, whole } from "./edge-body-schemas.js";
import { sendError } from "../errors.js";
import { EXAMPLE_WATCH } from "../examples.js";
import { errorAnswers, integer } from "../schemas.js";
import { AcquireBody } from "./acquire-schemas.js";
import type { HttpApp } from "../app.js";

const ids = (description: string) => Type.Array(Type.String(), { description });

const WatchBody = Type.Object(
  {
    edge: AcquireBody.properties.edge,
    instance: AcquireBody.properties.instance,
    log: Type.Optional(hex(LOG_CHARS)),
    since: whole,
    follow: Type.Optional(
      Type.Boolean({ description: "a boolean: whether the edge runs the control plane's policy; absent: yes" }),
    ),
    policy: Type.Optional(ReceivedPolicySchema),
    // Filters of before the policy came on this call leave it out.
    filter: Type.Optional(FilterSchema),
    table: Type.Optional(TableSchema),
    wallMs: Type.Optional(whole),
  },
  {
    description: "an object with the fields edge, instance, log, since, follow, policy, filter, table and wallMs",
    examples: [EXAMPLE_WATCH.call],
  },
);

const position = {
  log: Type.String({ description: "which invalidation log" }),
  cursor: integer("number of the log's entry up to which the answer goes"),
};
/** A policy's bytes are sent as they are; here they stand for the document only. */
const PolicyBytes = Type.Object(
  {
    plans: Type.Array(Type.Object({}, { description: "a plan" }), { description: "the first is the default" }),
  },
  { description: "the policy that the edge is to run: docs/policy.md says what may stand in it" },
);
const OF_A_POLICY = {
  [HEADER_LOG]: Type.String({ description: "of a policy: which invalidation log it belongs to" }),
  [HEADER_GENERATION]: integer("of a policy: grows by one with each"),
  [HEADER_POLICY_HASH]: Type.String({ description: "of a policy: first 64 bits of the SHA-256 of its bytes, in hex" }),
  [HEADER_REPORT_SPREAD]: integer("of a policy: over how long edges are to spread their first reports of it, in ms"),
};
const WatchAnswerSchema = Type.Union(
  [
    Type.Object({ reset: Type.Literal(true, { description: "begin anew at the cursor" }), ...position }),
    Type.Object({
      ...position,
      revoked: ids("sessions that are over for good"),
      refresh: ids("sessions to be asked about again"),
    }),
    PolicyBytes,
  ],
  {
    description: "where to begin, what was invalidated, or a policy",
    examples: [EXAMPLE_WATCH.changes, EXAMPLE_WATCH.reset, EXAMPLE_WATCH.policy],
    headers: OF_A_POLICY,
  },
);

/** To be called in a scope that `guardEdges` keeps. */
export function watchRoute(app: HttpApp, watches: Watches, callers: Callers): void {
  const schema = {
    operationId: "watch",
    tags: ["edge"],
    security: [{ edgeCredential: [] }],
    summary: "The policy, or what was invalidated since; held until there is something to say",
    description:
      `A policy is the whole body, as the edge is to run it: known by its headers ` +
      `${HEADER_LOG}, ${HEADER_GENERATION}, ${HEADER_POLICY_HASH} and ${HEADER_REPORT_SPREAD}.`,
    body: WatchBody,
    response: {
      200: WatchAnswerSchema,
      ...errorAnswers("INVALID_REQUEST", "MALFORMED_JSON", "UNAUTHORIZED", "TOO_MANY_REQUESTS"),
      ...errorAnswers("BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE", "INTERNAL", "NOT_READY"),
    },
  };
  app.post(
    PATH_WATCH,
    { schema, bodyLimit: MAX_EDGE_BODY_BYTES, config: { traced: false } },
    async (request, reply) => {
      const { edge, instance, log, since, follow = true, policy, filter, table, wallMs } = request.body;
      const received = policy && receivedPolicy(policy);
      const said = { edge, instance, log, since, follow, policy: received, filter, table, wallMs };
      const gone = hangUpOf(request.raw.socket);
      const watched = await watches.watch({ ...said, address: plainAddress(callers.addressOf(request)) }, gone);
      if (watched.outcome === "answered") return reply.code(200).send(watched.answer);
      if (watched.outcome === "policy") return sendPolicy(reply, watched.offer);
      return sendError(reply, "NOT_READY", { message: "No more watches are held now: ask again in a while" });
    },
  );
}

/** The bytes as they are: what the edge hashes is what was validated. */
function sendPolicy(reply: FastifyReply, { log, policy, reportSpreadMs }: PolicyOffer): FastifyReply {
  return reply
    .code(200)
    .headers({
      "content-type": "application/json",
      [HEADER_LOG]: log,
      [HEADER_GENERATION]: policy.generation,
      [HEADER_POLICY_HASH]: policy.hash,
      [HEADER_REPORT_SPREAD]: reportSpreadMs,
    })
    .send(policy.bytes);
}
