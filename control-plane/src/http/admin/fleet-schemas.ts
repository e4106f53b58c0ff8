// What routes about one session say of its fleet budget.
import { Type } from "typebox";

import type { FleetView } from "../../app/sessions/fleet-view.js";
import { EXAMPLE_FLEET, EXAMPLE_SESSION } from "../examples.js";
import { integer, SessionSchema } from "../schemas.js";

const OWN = "the plan's own bucket has the empty name";
const tokens = (description: string) => Type.Number({ description: `tokens ${description}` });

const FleetSchema = Type.Object(
  {
    plan: Type.String({ description: "name of the plan" }),
    buckets: Type.Array(
      Type.Object({
        name: Type.String({ description: `the limit's; ${OWN}` }),
        capacity: integer("tokens that the bucket holds"),
        level: tokens("that no edge has, refilled to now; below 0 it owes"),
        outstanding: tokens("that edges have and may still spend"),
        refillRate: Type.Number({ description: "tokens per second, rounded where the policy says tokens per unit" }),
      }),
      { description: "one budget over all edges: the plan's own bucket, then its further limits by name" },
    ),
    leases: Type.Array(
      Type.Object({
        edge: Type.String({ description: "node.id of the Envoy" }),
        instance: Type.String({ description: "one life of the edge's session table" }),
        outstanding: Type.Record(Type.String(), Type.Number({ description: "tokens that it may still spend" }), {
          description: `by bucket; ${OWN}`,
        }),
        endsInMs: integer("until what it has counts as spent"),
      }),
      { description: "who may spend how much of it" },
    ),
  },
  { title: "FleetBudget", description: "under a plan of fleet scope: what is left of its budget, and who has leases" },
);

export const FLEET = { fleet: Type.Optional(FleetSchema) };

export const ShownSessionAnswer = Type.Object(
  { session: SessionSchema, ...FLEET },
  {
    description: "the session as it is now",
    examples: [{ session: EXAMPLE_SESSION }, { session: EXAMPLE_SESSION, fleet: EXAMPLE_FLEET }],
  },
);

/** As a part of an answer. */
export function fleetOf({ fleet }: { readonly fleet?: FleetView }) {
  if (fleet === undefined) return {};
  const leases = fleet.leases.map((lease) => ({ ...lease, outstanding: { ...lease.outstanding } }));
  return { fleet: { plan: fleet.plan, buckets: [...fleet.buckets], leases } };
}
