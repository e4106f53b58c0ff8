// What an acquire takes and answers, and how an edge names itself on every call.
import { Type } from "typebox";

import { INSTANCE_CHARS, MAX_ACQUIRE_SESSIONS, MAX_EDGE_NAME_BYTES } from "../../../../assembly/contract.js";
import type { LeaseWish } from "../../app/edges/lease-tokens.js";
import { EXAMPLE_ACQUIRE } from "../examples.js";
import { CLEAN_TEXT, integer, sessionId, UUID_V7, word } from "../schemas.js";
import { readLeaseWish } from "./lease-asks.js";
import { LEASE } from "./lease-parts.js";
import { FleetTags, LimitNames, UsageRows } from "./usage-schemas.js";

/** Edges of other versions may send more: unknown fields are passed over. */
export const AcquireBody = Type.Object(
  {
    edge: Type.String({
      minLength: 1,
      maxLength: MAX_EDGE_NAME_BYTES,
      ...CLEAN_TEXT,
      description: `the edge's node id, 1 to ${MAX_EDGE_NAME_BYTES} characters`,
    }),
    instance: Type.String({
      pattern: `^[0-9a-f]{${INSTANCE_CHARS}}$`,
      description: `${INSTANCE_CHARS} hex digits in lower case`,
    }),
    session: sessionId,
    others: Type.Optional(
      Type.Array(Type.Unknown({ description: "an object with the field session: a session id" }), {
        description: `further sessions, up to ${MAX_ACQUIRE_SESSIONS - 1}: each an object with the field session, and lease as here`,
      }),
    ),
    // Of sessions that the call asks about: what the edge knows of them counts before it is answered.
    usage: Type.Optional(UsageRows),
    limits: Type.Optional(LimitNames),
    fleet: Type.Optional(FleetTags),
    // Of a session whose plan may be of fleet scope. One that cannot be read is passed over.
    lease: Type.Optional(
      Type.Unknown({
        description:
          "what it wants of the session's fleet budget: an object with the fields cost and want, by bucket in microtokens, and at: when " +
          "it asks, ms of the instance's own clock, which never goes back",
      }),
    ),
  },
  {
    description: "an object with the fields edge, instance, session, lease, others, usage, limits and fleet",
    examples: [EXAMPLE_ACQUIRE.call],
  },
);

const UUID = new RegExp(UUID_V7);

/** The session ids of `others`. What is none, or too much, is left out: the edge asks about it alone, and is told. */
export const otherSessions = (others: readonly unknown[] = []): string[] =>
  others
    .flatMap((one) => (isSession(one) && UUID.test(one.session) ? [one.session] : []))
    .slice(0, MAX_ACQUIRE_SESSIONS - 1);

/** By session what is wanted of its fleet budget: of each that says it in a form that can be read. */
export function leaseWishes(sessions: readonly unknown[]): Map<string, LeaseWish> {
  const wishes = new Map<string, LeaseWish>();
  for (const one of sessions) {
    const wish = isSession(one) ? readLeaseWish(one.lease) : undefined;
    if (isSession(one) && wish !== undefined) wishes.set(one.session, wish);
  }
  return wishes;
}

const isSession = (value: unknown): value is { readonly session: string; readonly lease?: unknown } =>
  typeof value === "object" && value !== null && "session" in value && typeof value.session === "string";

const acquired = {
  generation: integer("of the policy that the edge is offered"),
  log: Type.String({ description: "which invalidation log" }),
  cursor: integer("up to where the answer takes that log into account"),
};

const LIVE = {
  state: Type.Literal("live", { description: "it may be admitted" }),
  plan: integer("plan id"),
  endsInMs: integer("how long it lives at the most"),
  level: integer("microtokens in the bucket now; below 0 it owes"),
  levels: Type.Optional(
    Type.Record(Type.String(), integer("microtokens in it now; below 0 it owes"), {
      description: "by name, each further limit of which a level is known: all others are full; absent: none is known",
    }),
  ),
  consumed: integer("tokens, as this instance reported them"),
  rev: integer("of its last report of the session"),
  budgetSpent: Type.Boolean({ description: "whether nothing is left of its token budget" }),
  lease: Type.Optional(
    Type.Object(LEASE, { description: "under a plan of fleet scope, where the call asked for it: level is 0 then" }),
  ),
  ...acquired,
};

const ENDED = {
  state: word(["revoked", "expired", "unknown"], "it may not be admitted"),
  endsInMs: integer("how long the edge may hold on to that"),
  consumed: integer("tokens, as this instance reported them"),
  rev: integer("of its last report of the session"),
  ...acquired,
};

const UNAVAILABLE = {
  state: Type.Literal("unavailable", { description: "not over as far as is known, but the store takes no writes" }),
  ...acquired,
};

const session = Type.String({ description: "its id" });
/** What the call's `others` came to, by session, where it has any. */
const others = Type.Optional(
  Type.Array(
    Type.Union([
      Type.Object({ session, ...LIVE }),
      Type.Object({ session, ...ENDED }),
      Type.Object({ session, ...UNAVAILABLE }),
    ]),
    { description: "of each further session, with its id" },
  ),
);

export const AcquireAnswer = Type.Union(
  [Type.Object({ ...LIVE, others }), Type.Object({ ...ENDED, others }), Type.Object({ ...UNAVAILABLE, others })],
  {
    description: "what is known of the session",
    examples: [
      EXAMPLE_ACQUIRE.live,
      EXAMPLE_ACQUIRE.liveWithLevels,
      EXAMPLE_ACQUIRE.liveWithLease,
      EXAMPLE_ACQUIRE.ended,
    ],
  },
);
