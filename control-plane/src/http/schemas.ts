// What requests and answers look like. Each description says what is expected: it is part of the OpenAPI and of violations.
import { isIP } from "node:net";
import { Type } from "typebox";
import type { TProperties, TRef } from "typebox";

import {
  INSTANCE_CHARS,
  MAX_ACQUIRE_SESSIONS,
  MAX_EDGE_NAME_BYTES,
  MAX_NAME_CHARS,
} from "../../../assembly/contract.js";
import { MAX_ID_CHARS } from "../domain/session.js";
import { ERRORS } from "./errors.js";
import type { ErrorCode } from "./errors.js";

/** Browsers send up to about 500 characters, apps more. */
const MAX_METADATA_CHARS = 1024;
/** No control characters, which forge log lines, and no half characters, which no store gives back as they were. */
const CLEAN_TEXT = "^[^\\p{Cc}\\p{Cs}]*$";
/** UUIDv7, in the one spelling in which ids are issued, stored and compared. */
const UUID_V7 = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";

/** Formats beyond those of JSON Schema. */
export const FORMATS = { ip: (text: string): boolean => isIP(text) !== 0 };

export const text = (minLength: number, maxLength: number) =>
  Type.String({
    minLength,
    maxLength,
    pattern: CLEAN_TEXT,
    description: `a string of ${minLength} to ${maxLength} characters, none of them a control character`,
  });

/** Admin requests: a field that nobody reads is the caller's mistake, better reported than ignored. */
export const strictObject = <Fields extends TProperties>(fields: Fields) =>
  Type.Object(fields, {
    additionalProperties: false,
    description: `an object with the fields ${Object.keys(fields).join(", ")}`,
  });

const uuid = (what: string) => Type.String({ pattern: UUID_V7, description: `${what}: a UUIDv7 in lower case` });
const sessionId = uuid("a session id");
export const timeMs = (description: string) => Type.Integer({ description: `${description}, ms since the epoch` });
const nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

export const planName = (more: string) =>
  Type.String({
    pattern: `^[a-z0-9-]{1,${MAX_NAME_CHARS}}$`,
    description: `a plan's name, 1 to ${MAX_NAME_CHARS} of a-z, 0-9 and -${more}`,
  });

/** Which edges have confirmed what was revoked. */
export const CONFIRMATION = {
  edges: Type.Integer({ description: "edges that are not gone" }),
  confirmed: Type.Integer({ description: "of those, the ones that deny by now what was revoked" }),
  pending: Type.Array(Type.String(), { description: "names of the others: they may admit it still" }),
};

export const SessionParams = Type.Object({ id: sessionId });
export const RevocationParams = Type.Object({ id: uuid("a revocation's id") });

export const CreateSessionBody = strictObject({
  userId: text(1, MAX_ID_CHARS),
  orgId: text(1, MAX_ID_CHARS),
  plan: Type.Optional(planName("; if absent, the policy's first plan")),
  metadata: Type.Optional(
    strictObject({
      userAgent: Type.Optional(text(0, MAX_METADATA_CHARS)),
      ip: Type.Optional(Type.String({ maxLength: 64, format: "ip", description: "an IPv4 or IPv6 address" })),
      route: Type.Optional(text(0, MAX_METADATA_CHARS)),
    }),
  ),
});

export const SessionSchema = Type.Object(
  {
    id: sessionId,
    userId: Type.String(),
    orgId: Type.String(),
    issuer: nullable(
      "who issued it: an issuer's name, or an operator's public name as in the audit log; null: not known, it was " +
        "issued by an earlier version",
    ),
    plan: Type.String({ description: "name of the plan" }),
    state: Type.Union([Type.Literal("live"), Type.Literal("revoked"), Type.Literal("expired")]),
    createdAt: timeMs("when it was issued"),
    endsAt: timeMs("when it ends at the latest, by the plan's present lifetime"),
    lastActivity: timeMs("when it was last active, as far as edges have reported"),
    tokens: Type.Object({
      issued: Type.Integer({ description: "the plan's tokenBudget, or its maxTokens, when the session was issued" }),
      consumed: Type.Integer({ description: "tokens spent, as far as edges have reported" }),
      budget: Type.Union([Type.Integer(), Type.Null()], {
        description: "the plan's present tokenBudget: what the session may consume in all; null: no bound",
      }),
    }),
    metadata: Type.Object({
      userAgent: nullable("as given when it was issued; null once it was kept for as long as the installation says"),
      ip: nullable(
        "as given when it was issued, or else the caller that a trusted proxy named; " +
          "null once it was kept for as long as the installation says",
      ),
      route: nullable("as given when it was issued"),
    }),
    revokedAt: Type.Union([Type.Integer(), Type.Null()], { description: "when it was revoked, ms since the epoch" }),
  },
  { description: "a session" },
);

export const SessionAnswer = Type.Object({ session: SessionSchema });
export const CreatedAnswer = Type.Object({
  session: SessionSchema,
  token: Type.String({ description: "the session token: a secret, shown this once" }),
});

/** Edges of other versions may send more: unknown fields are passed over. */
export const AcquireBody = Type.Object(
  {
    edge: Type.String({
      minLength: 1,
      maxLength: MAX_EDGE_NAME_BYTES,
      pattern: CLEAN_TEXT,
      description: `the edge's node id, 1 to ${MAX_EDGE_NAME_BYTES} characters`,
    }),
    instance: Type.String({
      pattern: `^[0-9a-f]{${INSTANCE_CHARS}}$`,
      description: `${INSTANCE_CHARS} hex digits in lower case`,
    }),
    session: sessionId,
    others: Type.Optional(
      Type.Array(Type.Unknown({ description: "an object with the field session: a session id" }), {
        description: `further sessions, up to ${MAX_ACQUIRE_SESSIONS - 1}: each an object with the field session`,
      }),
    ),
  },
  { description: "an object with the fields edge, instance, session and others" },
);

const UUID = new RegExp(UUID_V7);

/** The session ids of `others`. What is none, or too much, is left out: the edge asks about it alone, and is told. */
export function otherSessions(others: readonly unknown[] = []): string[] {
  const ids: string[] = [];
  for (const one of others) {
    if (ids.length === MAX_ACQUIRE_SESSIONS - 1) break;
    if (typeof one !== "object" || one === null || !("session" in one)) continue;
    if (typeof one.session === "string" && UUID.test(one.session)) ids.push(one.session);
  }
  return ids;
}

const acquired = {
  generation: Type.Integer({ description: "of the policy that the edge is offered" }),
  log: Type.String({ description: "which invalidation log" }),
  cursor: Type.Integer({ description: "up to where the answer takes that log into account" }),
};

const LIVE = {
  state: Type.Literal("live"),
  plan: Type.Integer({ description: "plan id" }),
  endsInMs: Type.Integer(),
  level: Type.Integer({ description: "microtokens in the bucket now" }),
  consumed: Type.Integer(),
  rev: Type.Integer(),
  budgetSpent: Type.Boolean(),
  ...acquired,
};

const ENDED = {
  state: Type.Union([Type.Literal("revoked"), Type.Literal("expired"), Type.Literal("unknown")]),
  endsInMs: Type.Integer({ description: "how long the edge may hold on to that" }),
  consumed: Type.Integer({ description: "as this instance reported it" }),
  rev: Type.Integer(),
  ...acquired,
};

const UNAVAILABLE = {
  state: Type.Literal("unavailable", { description: "not over as far as is known, but the store takes no writes" }),
  ...acquired,
};

/** What the call's `others` came to, by session, where it has any. */
const others = Type.Optional(
  Type.Array(
    Type.Union([
      Type.Object({ session: Type.String(), ...LIVE }),
      Type.Object({ session: Type.String(), ...ENDED }),
      Type.Object({ session: Type.String(), ...UNAVAILABLE }),
    ]),
    { description: "of each further session, with its id" },
  ),
);

export const AcquireAnswer = Type.Union([
  Type.Object({ ...LIVE, others }),
  Type.Object({ ...ENDED, others }),
  Type.Object({ ...UNAVAILABLE, others }),
]);

const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[];

/** Named in the OpenAPI, with every code of the catalogue. */
export const ErrorSchema = Type.Object(
  {
    error: Type.Object({
      code: Type.String({
        enum: ERROR_CODES,
        description: ERROR_CODES.map((code) => `${code} (${ERRORS[code].status}): ${ERRORS[code].message}`).join("\n"),
      }),
      message: Type.String({ description: "for people" }),
      field: Type.Optional(Type.String({ description: "path of the field that is wrong, such as metadata.ip" })),
      requestId: Type.String({ description: "as in the answer's x-request-id, and in the server's log" }),
    }),
  },
  { $id: "Error", description: "the one form of every error" },
);

/** The error answers of a route, by status, each with the codes that may stand in it. */
export function errorAnswers(...codes: ErrorCode[]): Record<number, TRef<"Error">> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, those]) => [status, Type.Ref("Error", { description: those.join(", ") })]),
  );
}
