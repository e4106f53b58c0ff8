// What the routes about a session's usage take and answer.
import { Type } from "typebox";

import { MAX_SAFE_INTEGER } from "../../../../assembly/contract.js";
import { EXAMPLE_BUCKETS, EXAMPLE_FLEET, EXAMPLE_USAGE } from "../examples.js";
import { FLEET } from "./fleet-schemas.js";
import { idempotencyKey, integer, integerOrNull, REPLAYED, strictObject, timeMs } from "../schemas.js";

const tokens = (description: string) => integer(`tokens ${description}`);
const nullableTime = (description: string) => integerOrNull(`${description}, ms since the epoch; null: not yet`);

export const ConsumeBody = strictObject(
  {
    count: Type.Integer({
      format: "int64",
      minimum: 1,
      maximum: MAX_SAFE_INTEGER,
      description: `an integer from 1 to ${MAX_SAFE_INTEGER}: how many tokens`,
    }),
  },
  { examples: [{ count: 5 }] },
);

export const ConsumeHeaders = Type.Object({
  "idempotency-key": Type.Optional(
    idempotencyKey("repeated for the same session within 24 hours, nothing more is taken"),
  ),
});

export const ConsumeAnswer = Type.Object(
  {
    budget: tokens("that the session may consume in all"),
    consumed: tokens("consumed, with these"),
    remaining: tokens("left"),
  },
  {
    description: "the tokens are taken, durably",
    examples: [{ budget: 100, consumed: 22, remaining: 78 }],
    headers: REPLAYED,
  },
);

export const UsageAnswer = Type.Object(
  {
    consumed: tokens("spent in all, as far as edges have reported"),
    direct: tokens("of these that were consumed through the API"),
    edges: Type.Array(
      Type.Object({
        edge: Type.String({ description: "empty: former instances that were merged, past 1024 of one session" }),
        consumed: tokens("spent there"),
        instances: Type.Array(
          Type.Object({
            instance: Type.String({ description: "one life of the edge's session table" }),
            consumed: tokens("spent there"),
            rev: integer("orders its reports of this session"),
            lastReport: nullableTime("when it last reported the session"),
            lastActivity: nullableTime("when a request was last admitted there"),
          }),
          { description: "each life of its session table" },
        ),
      }),
      { description: "where it was spent" },
    ),
    ...FLEET,
  },
  { description: "what the session spent", examples: [EXAMPLE_USAGE, { ...EXAMPLE_USAGE, fleet: EXAMPLE_FLEET }] },
);

const capacity = tokens("that the bucket holds");
const level = Type.Number({ description: "tokens in it now, refilled since the last report; below 0 it owes" });
const refillRate = Type.Number({ description: "tokens per second, rounded where the policy says tokens per unit" });

const limits = Type.Array(
  Type.Object({
    name: Type.String({ description: "the limit's" }),
    capacity,
    tokens: level,
    refillRate,
    lastRefill: integerOrNull(
      "the time of the level in the edge's last report of it, ms since the epoch; null: not reported, and full",
    ),
  }),
  { description: "the plan's further limits, in the order of their names" },
);

export const BucketsAnswer = Type.Object(
  {
    buckets: Type.Array(
      Type.Object({
        edge: Type.String({ description: "node.id of the Envoy" }),
        instance: Type.String({ description: "the one that reported last" }),
        name: Type.String({ description: "the plan's" }),
        capacity,
        tokens: level,
        refillRate,
        lastRefill: timeMs("the time of the level in the edge's last report"),
        limits,
      }),
      { description: "of edges that have reported the session; at every other they are full" },
    ),
    ...FLEET,
  },
  {
    description: "what the session's buckets hold",
    examples: [EXAMPLE_BUCKETS, { buckets: [], fleet: EXAMPLE_FLEET }],
  },
);
