// The edge protocol's routes (docs/edge-protocol.md): what filters ask.
import { MAX_EDGE_BODY_BYTES, PATH_ACQUIRE } from "../../../../assembly/contract.js";
import { acquireSessions } from "../../app/edges/acquire-session.js";
import type { Acquired } from "../../app/edges/acquired.js";
import type { EdgeFigures } from "../../app/edges/figures/edge-figures.js";
import type { UsagePorts } from "../../app/edges/usage.js";
import { sendError } from "../errors.js";
import { reportRoute } from "./report-route.js";
import { errorAnswers } from "../schemas.js";
import { AcquireAnswer, AcquireBody, leaseWishes, otherSessions } from "./acquire-schemas.js";
import type { HttpApp } from "../app.js";
import { leaseOf, leaseRoute } from "./lease-route.js";
import { readUsageRows } from "./usage-rows.js";

/** To be called in a scope that `guardEdges` keeps. */
export function edgeRoutes(app: HttpApp, ports: UsagePorts, figures: Pick<EdgeFigures, "count">): void {
  const acquire = {
    operationId: "acquireSessions",
    tags: ["edge"],
    security: [{ edgeCredential: [] }],
    summary: "What the control plane knows of one session or several, for an edge that does not hold them",
    body: AcquireBody,
    response: {
      200: AcquireAnswer,
      ...errorAnswers("INVALID_REQUEST", "MALFORMED_JSON", "UNAUTHORIZED", "TOO_MANY_REQUESTS"),
      ...errorAnswers("BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE", "INTERNAL", "NO_POLICY", "NOT_WRITTEN"),
    },
  };
  app.post(PATH_ACQUIRE, { schema: acquire, bodyLimit: MAX_EDGE_BODY_BYTES }, async (request, reply) => {
    const { edge, instance, session, others, usage = [], limits, fleet } = request.body;
    const ids = otherSessions(others);
    const leases = leaseWishes([request.body, ...(others ?? [])]);
    const said = { ...readUsageRows(usage, { limits, fleet }), leases };
    const answers = await acquireSessions(ports, [session, ...ids], { edge, instance }, said);
    const [first, ...rest] = answers?.map(acquiredOf) ?? [];
    if (first === undefined) return sendError(reply, "NO_POLICY");
    if (others === undefined) return reply.code(200).send(first);
    const named = rest.map((answer, index) => ({ session: ids[index] ?? "", ...answer }));
    return reply.code(200).send({ ...first, others: named });
  });
  reportRoute(app, ports, figures);
  leaseRoute(app, ports);
}

function acquiredOf(answer: Acquired) {
  if (answer.state !== "live") return answer;
  const { lease, ...live } = answer;
  return lease === undefined ? live : { ...live, lease: leaseOf(lease) };
}
