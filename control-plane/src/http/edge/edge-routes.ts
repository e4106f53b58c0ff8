// The edge protocol's routes (docs/edge-protocol.md): what filters ask.
import { MAX_EDGE_BODY_BYTES, PATH_ACQUIRE } from "../../../../assembly/contract.js";
import { acquireSession } from "../../app/edges/acquire-session.js";
import type { UsagePorts } from "../../app/edges/usage.js";
import { sendError } from "../errors.js";
import { reportRoute } from "./report-route.js";
import { AcquireAnswer, AcquireBody, errorAnswers } from "../schemas.js";
import type { HttpApp } from "../app.js";

/** To be called in a scope that `guardEdges` keeps. */
export function edgeRoutes(app: HttpApp, ports: UsagePorts): void {
  const acquire = {
    tags: ["edge"],
    security: [{ edgeCredential: [] }],
    summary: "What the control plane knows of a session, for an edge that does not hold it",
    body: AcquireBody,
    response: {
      200: AcquireAnswer,
      ...errorAnswers("INVALID_REQUEST", "MALFORMED_JSON", "UNAUTHORIZED", "TOO_MANY_REQUESTS"),
      ...errorAnswers("BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE", "INTERNAL", "NO_POLICY"),
    },
  };
  app.post(PATH_ACQUIRE, { schema: acquire, bodyLimit: MAX_EDGE_BODY_BYTES }, async (request, reply) => {
    const { edge, instance, session } = request.body;
    const answer = await acquireSession(ports, session, { edge, instance });
    return answer === undefined ? sendError(reply, "NO_POLICY") : reply.code(200).send(answer);
  });
  reportRoute(app, ports);
}
