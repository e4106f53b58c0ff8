// The admin route of edges: what each was offered, what it made of that, what its workers run, who was denied.
import { Type } from "typebox";

import { EDGE_STATES } from "../../app/edges/status/edge-status.js";
import type { EdgePage } from "../../app/edges/status/edge-pages.js";
import type { EdgeView, InstanceView } from "../../app/edges/status/edge-views.js";
import type { UnauthenticatedCalls } from "../../app/edges/status/unauthenticated-calls.js";
import { nameCursor, readNameCursor } from "./cursors.js";
import { cursorAnswer, MAX_PAGE, NamePageQuery } from "./operator-schemas.js";
import { EXAMPLE_EDGES } from "../examples.js";
import { COMMON, errorAnswers, integer, integerOrNull, textOrNull, timeMs, word } from "../schemas.js";
import type { HttpApp } from "../app.js";

const timeOrNull = (description: string) =>
  integerOrNull(`${description}, ms since the epoch; null: never, as far as known`);

const offset = (what: string) =>
  integerOrNull(`${what} is ahead of the control plane's, below 0 behind it; null while nothing watches that says so`);

const state = word(
  EDGE_STATES,
  [
    "current: it has taken the published policy, and every worker that spoke lately runs that",
    "waiting: it is taking the published policy",
    "behind: it takes longer than it should, or a worker still runs another policy",
    "rejected: it found violations in the published policy, and runs the one before",
    "trapped: the published policy ended the filter's VM that tried it; it runs the one before",
    "notFollowing: by its settings it runs their policy for good",
    "olderFilter: its filter takes no policy from the control plane",
    "silent: it does not watch, and its last contact is too long ago",
  ].join("\n"),
);
const silentWorkers = integer(
  "by how many fewer workers spoke lately than there were before: each may serve without the filter",
);
const watching = Type.Boolean({
  description: "whether it holds a watch, on which it receives policies and invalidations",
});
const leftOut = integer("how many more there are");

const Worker = Type.Object({
  worker: Type.String({ description: "one life of a worker's VM; empty where an older filter does not say" }),
  source: textOrNull("where its policy comes from: none, settings or control-plane"),
  generation: integerOrNull("of the policy that it runs; 0 unless that came from a control plane"),
  hash: textOrNull("of the policy that it runs"),
  build: textOrNull("of the filter that it runs"),
  lastReportAt: timeMs("its last report"),
});

const Instance = Type.Object({
  instance: Type.String({ description: "one life of the edge's session table" }),
  state,
  silentWorkers,
  watching,
  lastContactAt: timeMs("its last sign of life"),
  lastReportAt: timeOrNull("last report of its worker that is furthest behind and not gone"),
  lag: integerOrNull("invalidations that its table is not marked for; null while it follows none or another log"),
  tableName: textOrNull("of its session table; null: an older filter, which does not say"),
  address: textOrNull("where its last watch came from; a proxy in between shows its own"),
  clockOffsetMs: offset("by how much its clock"),
  workers: Type.Array(Worker, { description: "those that reported last, 512 of an edge" }),
  workersLeftOut: leftOut,
});

const Double = Type.Object({
  tableName: Type.String({ description: "of both session tables" }),
  addresses: Type.Array(Type.String(), {
    description: "of both; one: they share it, or a proxy in between hides theirs",
  }),
  since: timeMs("both have watched since then"),
});

const Received = Type.Object({
  generation: integer("of that policy"),
  state: Type.String({ description: "what became of it" }),
});
const Violation = Type.Object({
  path: Type.String({ description: "where in the policy" }),
  message: Type.String({ description: "for people" }),
});
const Filter = Type.Object({
  version: Type.String({ description: "of Sluice" }),
  build: Type.String({ description: "names the filter's bytes" }),
  policyFormat: integer("the newest form of policies that it reads"),
});
const Table = Type.Object({
  capacity: integer("records that it holds"),
  records: integer("records in it"),
});

const Edge = Type.Object(
  {
    edge: Type.String({ description: "node.id of the Envoy" }),
    state,
    silentWorkers,
    published: integerOrNull("generation of the policy that it is offered"),
    received: Type.Union([Received, Type.Null()], {
      description:
        "the newest policy that it has received, and the result of that: offered, trying, ok, rejected, trapped",
    }),
    violations: Type.Array(Violation, {
      description: "what it found wrong with the policy that it has received",
    }),
    running: Type.Record(Type.String(), integer("workers"), {
      description:
        "generation to how many workers run it, of the 32 that most run; 0: a policy that came from no control plane, or none",
    }),
    filter: Type.Union([Filter, Type.Null()], { description: "null: an older filter, or not known" }),
    table: Type.Union([Table, Type.Null()], {
      description: "of its session table; null: not known",
    }),
    watching,
    lastReportAt: timeOrNull("of its instance where that is latest"),
    lag: integerOrNull("of its instance that is furthest behind"),
    double: Type.Union([Double, Type.Null()], {
      description: "two Envoys go by this node.id: two of its instances, of one table, watch side by side",
    }),
    clockOffsetMs: offset("by how much the clock of its instance that is furthest off"),
    clockOff: Type.Boolean({ description: "that is more than 60 s, and not for the control plane's own clock" }),
    instances: Type.Array(Instance, { description: "those with the latest contact, 64 of an edge" }),
    instancesLeftOut: leftOut,
  },
  { title: "Edge", description: "an Envoy, and what its instances say together" },
);

const Unauthenticated = Type.Object(
  {
    claimedEdge: Type.String({ description: "the name that the call claims; empty: none" }),
    address: Type.String({ description: "where it came from" }),
    calls: integer("how many"),
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
    operationId: "listEdges",
    tags: ["edges"],
    security: [{ adminToken: [] }],
    summary: "Every edge: the policy that it runs, its instances and workers, and how far it is behind the log",
    querystring: NamePageQuery,
    response: {
      200: Type.Object(
        {
          edges: Type.Array(Edge, { description: "by name" }),
          unauthenticated: Type.Array(Unauthenticated, { description: "the 100 latest callers that were denied" }),
          clockOfMostMs: integerOrNull(
            "by how much the clocks of most edges are ahead of the control plane's, where they agree on more than 60 s",
          ),
          cursor: cursorAnswer,
        },
        { description: "a page of edges", examples: [EXAMPLE_EDGES] },
      ),
      ...errorAnswers(...COMMON),
    },
  };
  app.get("/v1/edges", { schema }, async (request, reply) => {
    const { limit = MAX_PAGE, cursor } = request.query;
    const after = cursor === undefined ? "" : readNameCursor(cursor);
    const { edges: views, next, clockOfMost } = await edges(after, limit);
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
