// The edge protocol's report: what was spent at an edge (docs/edge-protocol.md).
import { Type } from "typebox";

import { MAX_EDGE_BODY_BYTES, PATH_REPORT, POLICY_HASH_CHARS } from "../../../../assembly/contract.js";
import type { EdgeFigures } from "../../app/edges/figures/edge-figures.js";
import { reportUsage } from "../../app/edges/report-usage.js";
import type { UsagePorts } from "../../app/edges/usage.js";
import { hex, WorkerPolicySchema } from "./edge-body-schemas.js";
import { sendError } from "../errors.js";
import { EXAMPLE_REPORT } from "../examples.js";
import { errorAnswers } from "../schemas.js";
import { AcquireBody } from "./acquire-schemas.js";
import type { HttpApp } from "../app.js";
import { Counters, readCounters } from "./reported-counters.js";
import { readUsageRows } from "./usage-rows.js";
import { FleetTags, LimitNames, UsageRows } from "./usage-schemas.js";

const MAX_WORKER_CHARS = 16;

const ReportBody = Type.Object(
  {
    edge: AcquireBody.properties.edge,
    instance: AcquireBody.properties.instance,
    // Filters of before this field leave it out.
    worker: Type.Optional(
      Type.String({ maxLength: MAX_WORKER_CHARS, description: `a string of at most ${MAX_WORKER_CHARS} characters` }),
    ),
    build: Type.Optional(hex(POLICY_HASH_CHARS)),
    policy: Type.Optional(WorkerPolicySchema),
    // Filters of before this field leave it out.
    counters: Type.Optional(Counters),
    usage: UsageRows,
    // Filters of before plans had further limits leave it out.
    limits: Type.Optional(LimitNames),
    // Filters of before plans of fleet scope leave it out.
    fleet: Type.Optional(FleetTags),
    more: Type.Boolean({ description: "a boolean: whether there is more than these rows" }),
  },
  {
    description:
      "an object with the fields edge, instance, worker, build, policy, counters, usage, limits, fleet and more",
    examples: [EXAMPLE_REPORT.call],
  },
);

const ReportAnswerSchema = Type.Object(
  {
    log: Type.String({ description: "which invalidation log" }),
    refresh: Type.Array(Type.String(), { description: "sessions to be asked about at their next request" }),
  },
  { description: "the figures are durable", examples: [EXAMPLE_REPORT.answer] },
);

/** To be called in a scope that `guardEdges` keeps. */
export function reportRoute(app: HttpApp, ports: UsagePorts, figures: Pick<EdgeFigures, "count">): void {
  const schema = {
    operationId: "reportUsage",
    tags: ["edge"],
    security: [{ edgeCredential: [] }],
    summary: "What was spent, as absolute figures; answered once they are durable",
    body: ReportBody,
    response: {
      200: ReportAnswerSchema,
      ...errorAnswers("INVALID_REQUEST", "MALFORMED_JSON", "UNAUTHORIZED", "TOO_MANY_REQUESTS"),
      ...errorAnswers("BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE", "INTERNAL", "NOT_READY", "NOT_WRITTEN"),
    },
  };
  app.post(PATH_REPORT, { schema, bodyLimit: MAX_EDGE_BODY_BYTES }, async (request, reply) => {
    const { edge, instance, worker = "", build, policy: ran, usage, limits, fleet, more } = request.body;
    const counted = readCounters(request.body.counters);
    const read = readUsageRows(usage, { limits, fleet });
    const policy = ran && { source: ran.source, generation: ran.generation, hash: ran.hash };
    const answer = await reportUsage(ports, { edge, instance, worker, build, policy, ...read, more });
    if (answer === undefined) {
      return sendError(reply, "NOT_READY", { message: "Too much waits to be written: report again in a while" });
    }
    // Now, and not before: a report that is not answered comes again, maybe to another control plane.
    figures.count({ edge, instance, worker, ...counted });
    return reply.code(200).send({ log: answer.log, refresh: [...answer.refresh] });
  });
}
