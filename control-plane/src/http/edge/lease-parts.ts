// What of a lease stands in an answer, to the lease call and to an acquire.
import { Type } from "typebox";

import { integer } from "../schemas.js";

const granted = Type.Record(Type.String(), integer("microtokens"), {
  description: "by bucket, what this answer adds to the lease; the plan's own bucket is the empty name",
});
const refused = Type.Object(
  {
    limit: Type.String({ description: "the bucket that lacks tokens; the plan's own is the empty name" }),
    retryAfter: integer("ms until it is worth while to ask again"),
  },
  { description: "a request there lacks so much that it would be denied" },
);
const ttl = integer("ms from when the edge asked until all ends that it has there; 0: as before");
export const ask = integer("the number of the ask that is answered");

/** What an ask came to, in the lease call and in an acquire. */
export const LEASE = { ask, granted, ttl, refused: Type.Optional(refused) };
