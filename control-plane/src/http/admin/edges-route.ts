// The admin route of edges: what each was offered, what it made of that, what its workers run, who was denied.
import { Type } from "typebox";

import { EDGE_STATES } from "../../app/edges/status/edge-status.js";
import type { EdgeState } from "../../app/edges/status/edge-status.js";
import type { EdgePage } from "../../app/edges/status/edge-pages.js";
import type { EdgeView, InstanceView } from "../../app/edges/status/edge-views.js";
import type { UnauthenticatedCalls } from "../../app/edges/status/unauthenticated-calls.js";
import { nameCursor, readNameCursor } from "./cursors.js";
import { cursorAnswer, MAX_PAGE, NamePageQuery } from "./operator-schemas.js";
import { errorAnswers, timeMs } from "../schemas.js";
import type { HttpApp } from "../app.js";

const orNull = (description: string) => Type.Union([Type.Integer(), Type.Null()], { description });
const textOrNull = (description: string) => Type.Union([Type.String(), Type.Null()], { description });
const timeOrNull = (description: string) => orNull(`${description}, ms since the epoch; null: never, as far as known`);

const offset = (what: string) =>
  orNull(`${what} is ahead of the control plane's, below 0 behind it; null while nothing watches that says so`);

const state = Type.Unsafe<EdgeState>({
  type: "string",
  enum: [...EDGE_STATES],
  description: [
    "current: it has taken the published policy, and every worker that spoke lately runs that",
    "waiting: it is taking the published policy",
    "behind: it takes longer than it should, or a worker still runs another policy",
    "rejected: it found violations in the published policy, and runs the one before",
    "trapped: the published policy ended the filter's VM that tried it; it runs the one before",
    "notFollowing: by its settings it runs their policy for good",
    "olderFilter: its filter takes no policy from the control plane",
    "silent: it does not watch, and its last contact is too long ago",
  ].join("\n"),
});
const silentWorkers = Type.Integer({
  description: "by how many fewer workers spoke lately than there were before: each may serve without the filter",
});

const leftOut = Type.Integer({ description: "how many more there are" });

const Worker = Type.Object({
  worker: Type.String({ description: "one life of a worker's VM; empty where an older filter does not say" }),
  source: textOrNull("where its policy comes from: none, settings or control-plane"),
  generation: orNull("of the policy that it runs; 0 unless that came from a control plane"),
  hash: textOrNull("of the policy that it runs"),
  build: textOrNull("of the filter that it runs"),
  lastReportAt: timeMs("its last report"),
});

const Instance = Type.Object({
  instance: Type.String({ description: "one life of the edge's session table" }),
  state,
  silentWorkers,
  watching: Type.Boolean({ description: "whether it holds a watch, on which it receives policies and invalidations" }),
  lastContactAt: timeMs("its last sign of life"),
  lastReportAt: timeOrNull("last report of its worker that is furthest behind and not gone"),
  lag: orNull("invalidations that its table is not marked for; null while it follows none or another log"),
  tableName: textOrNull("of its session table; null: an older filter, which does not say"),
  address: textOrNull("where its last watch came from; a proxy in between shows its own"),
  clockOffsetMs: offset("by how much its clock"),
  workers: Type.Array(Worker, { description: "those that reported last, 512 of an edge" }),
  workersLeftOut: leftOut,
});

const Double = Type.Object({
  tableName: Type.String(),
  addresses: Type.Array(Type.String(), {
    description: "of both; one: they share it, or a proxy in between hides theirs",
  }),
  since: timeMs("both have watched since then"),
});

const Edge = Type.Object({
  edge: Type.String({ description: "node.id of the Envoy" }),
  state,
  silentWorkers,
  published: orNull("generation of the policy that it is offered"),
  received: Type.Union([Type.Object({ generation: Type.Integer(), state: Type.String() }), Type.Null()], {
    description:
      "the newest policy that it has received, and the result of that: offered, trying, ok, rejected, trapped",
  }),
  violations: Type.Array(Type.Object({ path: Type.String(), message: Type.String() }), {
    description: "what it found wrong with the policy that it has received",
  }),
  running: Type.Record(Type.String(), Type.Integer(), {
    description:
      "generation to how many workers run it, of the 32 that most run; 0: a policy that came from no control plane, or none",
  }),
  filter: Type.Union(
    [Type.Object({ version: Type.String(), build: Type.String(), policyFormat: Type.Integer() }), Type.Null()],
    { description: "null: an older filter, or not known" },
  ),
  table: Type.Union([Type.Object({ capacity: Type.Integer(), records: Type.Integer() }), Type.Null()], {
    description: "of its session table",
  }),
  watching: Type.Boolean(),
  lastReportAt: timeOrNull("of its instance where that is latest"),
  lag: orNull("of its instance that is furthest behind"),
  double: Type.Union([Double, Type.Null()], {
    description: "two Envoys go by this node.id: two of its instances, of one table, watch side by side",
  }),
  clockOffsetMs: offset("by how much the clock of its instance that is furthest off"),
  clockOff: Type.Boolean({ description: "that is more than 60 s, and not for the control plane's own clock" }),
  instances: Type.Array(Instance, { description: "those with the latest contact, 64 of an edge" }),
  instancesLeftOut: leftOut,
});

const Unauthenticated = Type.Object(
  {
    claimedEdge: Type.String({ description: "the name that the call claims; empty: none" }),
    address: Type.String(),
    calls: Type.Integer(),
    firstAt: timeMs("the first of them"),
    lastAt: timeMs("the last of them"),
  },
  { description: "edge calls that were denied, not authenticated: their secret differs" },
);

/** A page of edges, after a name. */
export type ListedEdges = (after: string, limit: number) => Promise<EdgePage>;

/** To be called in a scope that `guardAdmins` keeps. */
export function edgesRoute(
  app: HttpApp,
  edges: ListedEdges,
  unauthenticated: Pick<UnauthenticatedCalls, "list">,
): void {
  const schema = {
    tags: ["edges"],
    security: [{ adminToken: [] }],
    summary: "Every edge: the policy that it runs, its instances and workers, and how far it is behind the log",
    querystring: NamePageQuery,
    response: {
      200: Type.Object({
        edges: Type.Array(Edge, { description: "by name" }),
        unauthenticated: Type.Array(Unauthenticated),
        clockOfMostMs: orNull(
          "by how much the clocks of most edges are ahead of the control plane's, where they agree on more than 60 s",
        ),
        cursor: cursorAnswer,
      }),
      ...errorAnswers("INVALID_REQUEST", "UNAUTHORIZED", "FORBIDDEN", "TOO_MANY_REQUESTS", "INTERNAL"),
    },
  };
  app.get("/v1/edges", { schema }, async (request, reply) => {
    const { limit = MAX_PAGE, cursor } = request.query;
    const after = cursor === undefined ? "" : readNameCursor(cursor);
    const { edges: views, next, clockOfMost } = await edges(after, Number(limit));
    return reply.code(200).send({
      edges: views.map(editable),
      unauthenticated: unauthenticated.list(),
      clockOfMostMs: clockOfMost && Math.round(clockOfMost.offsetMs),
      cursor: next === null ? null : nameCursor(next),
    });
  });
}

/** The same as lists that the schema's type takes. */
const editable = ({ violations, instances, double, ...view }: EdgeView) => ({
  ...view,
  double: double && { ...double, addresses: [...double.addresses] },
  violations: [...violations],
  instances: instances.map(({ workers, ...instance }: InstanceView) => ({ ...instance, workers: [...workers] })),
});
