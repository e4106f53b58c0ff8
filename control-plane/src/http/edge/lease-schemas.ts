// What the lease call takes and answers.
import { Type } from "typebox";

import { MAX_LEASE_ASKS } from "../../../../assembly/contract.js";
import { EXAMPLE_LEASE } from "../examples.js";
import { integer } from "../schemas.js";
import { AcquireBody } from "./acquire-schemas.js";
import { ask, LEASE } from "./lease-parts.js";

export const LeaseBody = Type.Object(
  {
    edge: AcquireBody.properties.edge,
    instance: AcquireBody.properties.instance,
    // Each is read by itself: one that is wrong takes none of the others with it.
    asks: Type.Array(
      Type.Unknown({
        description:
          "an object with the fields session, ask and applied (numbers of asks), and by bucket in microtokens left, back, " +
          "settled, cost and want; one that cannot be is dropped, counted and logged, and has no answer",
      }),
      { maxItems: MAX_LEASE_ASKS, description: `an array of at most ${MAX_LEASE_ASKS} asks` },
    ),
  },
  { description: "an object with the fields edge, instance and asks", examples: [EXAMPLE_LEASE.call] },
);

const session = Type.String({ description: "its id" });

export const LeaseAnswerSchema = Type.Object(
  {
    log: Type.String({ description: "which invalidation log" }),
    leases: Type.Array(
      Type.Union([
        Type.Object({ session, ...LEASE }),
        Type.Object({ session, ask, is: integer("nothing came of the ask: this later number counts") }),
        Type.Object({ session, ask, over: Type.Literal(true, { description: "nothing is leased of it any more" }) }),
      ]),
      { description: "of each ask, in their order" },
    ),
  },
  {
    description: "what was granted is durable",
    examples: [EXAMPLE_LEASE.granted, EXAMPLE_LEASE.refused, EXAMPLE_LEASE.over],
  },
);
