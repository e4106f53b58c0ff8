// What requests and answers look like. Each description says what is expected: it is part of the OpenAPI and of violations.
import { isIP } from "node:net";

import { Type } from "typebox";
import type { TProperties, TRef, TSchema } from "typebox";

import { MAX_NAME_CHARS } from "../../../assembly/contract.js";
import { MAX_ID_CHARS } from "../domain/session.js";
import { ERRORS } from "./errors.js";
import type { ErrorCode } from "./errors.js";
import {
  EXAMPLE_ID,
  EXAMPLE_KEY,
  EXAMPLE_METADATA,
  EXAMPLE_REVOCATION_ID,
  EXAMPLE_SESSION,
  EXAMPLE_TOKEN,
} from "./examples.js";

export const SESSION_STATES = ["live", "revoked", "expired"] as const;
/** Browsers send up to about 500 characters, apps more. */
const MAX_METADATA_CHARS = 1024;
/**
 * No control characters, which forge log lines, and no half characters, which no store gives back as they were. What a
 * pattern can say in every language is the pattern; half characters exist in JavaScript and its kin alone.
 */
export const CLEAN_TEXT = { pattern: "^[^\\x00-\\x1f\\x7f-\\x9f]*$", format: "well-formed" };
/** UUIDv7, in the one spelling in which ids are issued, stored and compared. */
export const UUID_V7 = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";

/** Formats beyond those that the OpenAPI has. */
export const FORMATS = {
  "well-formed": (text: string): boolean => !/\p{Cs}/u.test(text),
  /** IPv4 or IPv6, without a zone: that is only good on one machine. */
  "ip-address": (text: string): boolean => isIP(text) !== 0 && !text.includes("%"),
};

export const text = (minLength: number, maxLength: number) =>
  Type.String({
    minLength,
    maxLength,
    ...CLEAN_TEXT,
    description: `a string of ${minLength} to ${maxLength} characters, none of them a control character`,
  });

/** Admin requests: a field that nobody reads is the caller's mistake, better reported than ignored. */
export const strictObject = <Fields extends TProperties>(fields: Fields, more: { examples?: unknown[] } = {}) =>
  Type.Object(fields, {
    additionalProperties: false,
    description: `an object with the fields ${Object.keys(fields).join(", ")}`,
    ...more,
  });

/** The same schema with a value that a request may have there. */
export const withExample = <Schema extends TSchema>(schema: Schema, example: unknown): Schema => ({
  ...schema,
  examples: [example],
});

const uuid = (what: string) =>
  Type.String({ format: "uuid", pattern: UUID_V7, description: `${what}: a UUIDv7 in lower case` });
export const sessionId = uuid("a session id");
/** Up to what a JavaScript number counts exactly: generators of code for other languages take 32 bits unless told. */
export const integer = (description: string) => Type.Integer({ format: "int64", description });
export const timeMs = (description: string) => integer(`${description}, ms since the epoch`);
export const integerOrNull = (description: string) =>
  Type.Union([Type.Integer({ format: "int64" }), Type.Null()], { description });
export const textOrNull = (description: string) => Type.Union([Type.String(), Type.Null()], { description });
/** One of some words. */
export const word = <Words extends string[]>(words: readonly [...Words], description: string) =>
  Type.Enum(words, { type: "string", description });

export const planName = (more: string) =>
  Type.String({
    pattern: `^[a-z0-9-]{1,${MAX_NAME_CHARS}}$`,
    description: `a plan's name, 1 to ${MAX_NAME_CHARS} of a-z, 0-9 and -${more}`,
  });

/** Which edges have confirmed what was revoked. */
export const CONFIRMATION = {
  edges: integer("edges that are not gone"),
  confirmed: integer("of those, the ones that deny by now what was revoked"),
  pending: Type.Array(Type.String(), { description: "names of the others: they may admit it still" }),
};

export const SessionParams = Type.Object({ id: withExample(sessionId, EXAMPLE_ID) });
export const RevocationParams = Type.Object({ id: withExample(uuid("a revocation's id"), EXAMPLE_REVOCATION_ID) });

/** Of a call that may be repeated. */
export const idempotencyKey = (effect: string) =>
  Type.String({
    pattern: "^[\\x21-\\x7e]{1,255}$",
    description: `1 to 255 visible ASCII characters, such as a UUID: ${effect}`,
    examples: [EXAMPLE_KEY],
  });
/** Of an answer to such a call. */
export const REPLAYED = {
  "idempotent-replayed": Type.String({
    enum: ["true"],
    description: "there when the call's Idempotency-Key was seen before: the answer is that of the first call",
  }),
};

/** A format of this server: others know none for both, and their generators make nothing useful of a choice of two. */
const address = Type.String({ maxLength: 64, format: "ip-address", description: "an IPv4 or IPv6 address" });

export const CreateSessionBody = strictObject(
  {
    userId: text(1, MAX_ID_CHARS),
    orgId: text(1, MAX_ID_CHARS),
    plan: Type.Optional(planName("; if absent, the policy's first plan")),
    metadata: Type.Optional(
      strictObject({
        userAgent: Type.Optional(text(0, MAX_METADATA_CHARS)),
        ip: Type.Optional(address),
        route: Type.Optional(text(0, MAX_METADATA_CHARS)),
      }),
    ),
  },
  { examples: [{ userId: "u1", orgId: "o1", plan: "gold", metadata: EXAMPLE_METADATA }] },
);

export const SessionSchema = Type.Object(
  {
    id: sessionId,
    userId: Type.String({ description: "whose it is" }),
    orgId: Type.String({ description: "the user's organisation" }),
    issuer: textOrNull(
      "who issued it: an issuer's name, or an operator's public name as in the audit log; null: not known, it was " +
        "issued by an earlier version",
    ),
    plan: Type.String({ description: "name of the plan" }),
    state: word(SESSION_STATES, "expired: by its age or because it was idle"),
    createdAt: timeMs("when it was issued"),
    endsAt: timeMs("when it ends at the latest, by the plan's present lifetime"),
    lastActivity: timeMs("when it was last active, as far as edges have reported"),
    tokens: Type.Object(
      {
        issued: integer("the plan's tokenBudget, or its maxTokens, when the session was issued"),
        consumed: integer("tokens spent, as far as edges have reported"),
        budget: integerOrNull("the plan's present tokenBudget: what the session may consume in all; null: no bound"),
      },
      { description: "what it may spend, and has spent" },
    ),
    metadata: Type.Object(
      {
        userAgent: textOrNull(
          "as given when it was issued; null once it was kept for as long as the installation says",
        ),
        ip: textOrNull(
          "as given when it was issued, or else the caller that a trusted proxy named; " +
            "null once it was kept for as long as the installation says",
        ),
        route: textOrNull("as given when it was issued"),
      },
      { description: "what its request said of where it comes from" },
    ),
    revokedAt: integerOrNull("when it was revoked, ms since the epoch; null: it was not"),
  },
  { title: "Session", description: "a session" },
);

export const SessionAnswer = Type.Object(
  { session: SessionSchema },
  { description: "the session as it is now", examples: [{ session: EXAMPLE_SESSION }] },
);
export const CreatedAnswer = Type.Object(
  {
    session: SessionSchema,
    token: Type.String({ description: "the session token: a secret, shown this once" }),
  },
  {
    description: "the session is durable",
    examples: [{ session: EXAMPLE_SESSION, token: EXAMPLE_TOKEN }],
    headers: REPLAYED,
  },
);

const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[];

/** Named in the OpenAPI, with every code of the catalogue. */
export const ErrorSchema = Type.Object(
  {
    error: Type.Object(
      {
        code: Type.String({
          enum: ERROR_CODES,
          description: ERROR_CODES.map((code) => `${code} (${ERRORS[code].status}): ${ERRORS[code].message}`).join(
            "\n",
          ),
        }),
        message: Type.String({ description: "for people" }),
        field: Type.Optional(Type.String({ description: "path of the field that is wrong, such as metadata.ip" })),
        requestId: Type.String({ description: "as in the answer's x-request-id, and in the server's log" }),
      },
      { description: "what went wrong" },
    ),
  },
  { $id: "Error", description: "the one form of every error" },
);

/** Of every route of /v1. */
export const COMMON = ["INVALID_REQUEST", "UNAUTHORIZED", "FORBIDDEN", "TOO_MANY_REQUESTS", "INTERNAL"] as const;

/** Of every route but those of GET: a body is read also where none is needed. */
export const OF_A_BODY = ["MALFORMED_JSON", "BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"] as const;

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
