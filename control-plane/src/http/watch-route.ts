// The edge protocol's watch: the call that is held until there is a withdrawal to tell (docs/edge-protocol.md).
import { Type } from "typebox";
import {
  LOG_CHARS,
  MAX_EDGE_BODY_BYTES,
  MAX_SAFE_INTEGER,
  PATH_WATCH,
  POLICY_HASH_CHARS,
} from "../../../assembly/contract.js";
import type { Watches } from "../app/watches.js";
import { hangUpOf } from "./connections.js";
import { sendError } from "./errors.js";
import { AcquireBody, errorAnswers } from "./schemas.js";
import type { HttpApp } from "./server.js";

const hex = (chars: number) =>
  Type.String({ pattern: `^[0-9a-f]{${chars}}$`, description: `${chars} hex digits in lower case` });
const whole = Type.Integer({ minimum: 0, maximum: MAX_SAFE_INTEGER, description: "a whole number from 0 on" });
const ids = (description: string) => Type.Array(Type.String(), { description });

const WatchBody = Type.Object(
  {
    edge: AcquireBody.properties.edge,
    instance: AcquireBody.properties.instance,
    log: Type.Optional(hex(LOG_CHARS)),
    since: whole,
    generation: whole,
    policyHash: hex(POLICY_HASH_CHARS),
  },
  { description: "an object with the fields edge, instance, log, since, generation and policyHash" },
);

const position = {
  log: Type.String({ description: "which log of withdrawals" }),
  cursor: Type.Integer({ description: "up to where the answer tells of that log" }),
};
const WatchAnswerSchema = Type.Union([
  Type.Object({ reset: Type.Literal(true, { description: "begin anew at the cursor" }), ...position }),
  Type.Object({
    ...position,
    revoked: ids("sessions that are over for good"),
    refresh: ids("sessions to be asked about again"),
  }),
]);

/** To be called in a scope that `guard` keeps for edges. */
export function watchRoute(app: HttpApp, watches: Watches): void {
  const schema = {
    tags: ["edge"],
    security: [{ edgeCredential: [] }],
    summary: "What was withdrawn since; held until there is something to say",
    body: WatchBody,
    response: {
      200: WatchAnswerSchema,
      ...errorAnswers("INVALID_REQUEST", "MALFORMED_JSON", "UNAUTHORIZED"),
      ...errorAnswers("BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE", "INTERNAL", "NOT_READY"),
    },
  };
  app.post(PATH_WATCH, { schema, bodyLimit: MAX_EDGE_BODY_BYTES }, async (request, reply) => {
    const { edge, instance, log, since, generation, policyHash } = request.body;
    const gone = hangUpOf(request.raw.socket);
    const watched = await watches.watch({ edge, instance, log, since, generation, policyHash }, gone);
    if (watched.outcome === "answered") return reply.code(200).send(watched.answer);
    return sendError(reply, "NOT_READY", { message: "No more watches are held now: ask again in a while" });
  });
}
