// The admin route of edges: what each was sent, what it runs, and how far it is behind.
import { Type } from "typebox";

import type { EdgeView } from "../app/edges.js";
import { errorAnswers } from "./schemas.js";
import type { HttpApp } from "./server.js";

const orNull = (description: string) => Type.Union([Type.Integer(), Type.Null()], { description });
const timeOrNull = (description: string) => orNull(`${description}, ms since the epoch; null: never, as far as known`);

const Instance = Type.Object({
  instance: Type.String({ description: "one life of the edge's session table" }),
  watching: Type.Boolean({ description: "whether it waits to be told of withdrawals" }),
  lastHeardAt: Type.Integer({ description: "ms since the epoch" }),
  lastReportAt: timeOrNull("last report of its worker that is furthest behind and not gone"),
  generation: orNull("of the policy that it says it runs"),
  policyHash: Type.Union([Type.String(), Type.Null()], { description: "of the policy that it says it runs" }),
  lag: orNull("withdrawals that its table is not marked for; null while it follows none or another log"),
});

const Edge = Type.Object({
  edge: Type.String({ description: "node.id of the Envoy" }),
  streams: Type.Integer({ description: "xDS streams; two during a hot restart" }),
  state: Type.Unsafe<EdgeView["state"]>({
    type: "string",
    enum: ["unknown", "waiting", "refused", "accepted", "notApplied", "applied"],
    description:
      "applied: the filter says that it runs what was pushed last; notApplied: Envoy took it and the filter runs another",
  }),
  sent: orNull("generation pushed last"),
  acknowledged: orNull("generation that Envoy accepted last"),
  running: orNull("generation that the filter says it runs"),
  refused: Type.Union(
    [Type.Object({ generation: Type.Integer(), reason: Type.String(), atMs: Type.Integer() }), Type.Null()],
    { description: "the last refusal, in Envoy's words, until a later push is accepted" },
  ),
  watching: Type.Boolean(),
  lastReportAt: timeOrNull("of its instance where that is latest"),
  lag: orNull("of its instance that is furthest behind"),
  instances: Type.Array(Instance),
});

/** To be called in a scope that `guardAdmins` keeps. */
export function edgesRoute(app: HttpApp, edges: () => Promise<EdgeView[]>): void {
  const schema = {
    tags: ["edges"],
    security: [{ adminToken: [] }],
    summary: "Every edge: its rollout, its instances, and how far each is behind the log of withdrawals",
    response: {
      200: Type.Object({ edges: Type.Array(Edge) }),
      ...errorAnswers("UNAUTHORIZED", "FORBIDDEN", "TOO_MANY_REQUESTS", "INTERNAL"),
    },
  };
  app.get("/v1/edges", { schema, config: { issuer: true } }, async (_request, reply) => {
    const views = await edges();
    return reply.code(200).send({
      edges: views.map((view) => ({ ...view, instances: [...view.instances] })),
    });
  });
}
