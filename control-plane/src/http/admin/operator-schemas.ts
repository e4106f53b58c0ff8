// What lists, changes of plan, re-issues and the audit log take and answer.
import { Type } from "typebox";

import { MAX_ID_CHARS } from "../../domain/session.js";
import { WAIT_FORM, WAIT_PATTERN } from "../../domain/revocation-wait.js";
import { EXAMPLE_AUDIT_ENTRY, EXAMPLE_CONFIRMATION, EXAMPLE_SESSION, EXAMPLE_TOKEN } from "../examples.js";
import {
  CONFIRMATION,
  idempotencyKey,
  integer,
  integerOrNull,
  planName,
  SESSION_STATES,
  SessionSchema,
  strictObject,
  text,
  textOrNull,
  timeMs,
  withExample,
  word,
} from "../schemas.js";

export const DEFAULT_PAGE = 100;
export const MAX_PAGE = 1000;
/** What a cursor is expected to be. */
export const CURSOR = "the cursor of the page before, as it was answered";

/** Of a query: `readQueries` makes a number of it. */
const limit = (byDefault: number) =>
  Type.Integer({
    format: "int32",
    minimum: 1,
    maximum: MAX_PAGE,
    default: byDefault,
    description: `an integer from 1 to ${MAX_PAGE}: how many at the most`,
    examples: [10],
  });
/** Not `{1,1400}`: engines without backtracking take no repetition above 1000. */
const cursor = (maxLength: number, example: string) =>
  Type.String({ pattern: "^[A-Za-z0-9_-]+$", maxLength, description: CURSOR, examples: [example] });

export const cursorAnswer = textOrNull(
  "for the next page; null: this is the last. A page may hold fewer than limit and not be the last",
);

export const AuditQuery = strictObject({
  limit: Type.Optional(limit(DEFAULT_PAGE)),
  cursor: Type.Optional(cursor(64, "AAAAAAAAABE")),
});

/** Of a list by name, whose cursors are as long as names. */
export const NamePageQuery = strictObject({
  limit: Type.Optional(limit(MAX_PAGE)),
  cursor: Type.Optional(cursor(1400, "Z3ctMQ")),
});

export const ListQuery = strictObject({
  userId: Type.Optional(withExample(text(1, MAX_ID_CHARS), "u1")),
  orgId: Type.Optional(withExample(text(1, MAX_ID_CHARS), "o1")),
  issuer: Type.Optional(withExample(text(1, MAX_ID_CHARS), "login")),
  plan: Type.Optional(withExample(planName(""), "gold")),
  state: Type.Optional(withExample(word(SESSION_STATES, `one of ${SESSION_STATES.join(", ")}`), "live")),
  limit: Type.Optional(limit(DEFAULT_PAGE)),
  cursor: Type.Optional(cursor(64, "AaIDnpxKfRez8FocYq6dQA")),
});

export const ListAnswer = Type.Object(
  {
    sessions: Type.Array(SessionSchema, { description: "the newest first" }),
    cursor: cursorAnswer,
    reportInterval: integerOrNull(
      "the policy's: within so many ms an edge reports what a session consumed there; null: no policy yet",
    ),
  },
  {
    description: "a page of sessions",
    examples: [{ sessions: [EXAMPLE_SESSION], cursor: null, reportInterval: 1000 }],
  },
);

export const RevokeQuery = strictObject({
  wait: Type.Optional(Type.String({ pattern: WAIT_PATTERN, description: WAIT_FORM, examples: ["2s"] })),
});
export const ConfirmedAnswer = Type.Object(
  { revocation: Type.Object(CONFIRMATION, { title: "Confirmation", description: "which edges have confirmed" }) },
  { description: "the session is revoked, durably; which edges have confirmed", examples: [EXAMPLE_CONFIRMATION] },
);

export const ChangePlanBody = strictObject({ plan: planName("") }, { examples: [{ plan: "gold" }] });

export const CreateHeaders = Type.Object({
  "idempotency-key": Type.Optional(
    idempotencyKey("the same creation under the same key within 24 hours gives the same session and token"),
  ),
});

export const ReissuedAnswer = Type.Object(
  {
    session: SessionSchema,
    token: Type.String({ description: "the session token: a secret. Tokens given out before stay valid" }),
  },
  { description: "the session's token once more", examples: [{ session: EXAMPLE_SESSION, token: EXAMPLE_TOKEN }] },
);

const AuditEntrySchema = Type.Object(
  {
    number: integer("grows by one with each entry"),
    at: timeMs("when"),
    actor: Type.String({
      description: "public name of the admin token, such as operator:1f2e3d4c or issuer:login:1f2e3d4c, or file",
    }),
    action: Type.String({
      enum: [
        "session-revoked",
        "sessions-revoked",
        "plan-changed",
        "token-reissued",
        "policy-accepted",
        "policy-rejected",
        "policy-held",
        "policy-confirmed",
      ],
      description: "what was done",
    }),
    sessionId: textOrNull("the session that it was done to; null: none, or many"),
    details: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Null()]), {
      description: "more, by action",
    }),
  },
  { title: "AuditEntry", description: "an entry of the audit log" },
);

export const AuditAnswer = Type.Object(
  { entries: Type.Array(AuditEntrySchema, { description: "the newest first" }), cursor: cursorAnswer },
  { description: "a page of the audit log", examples: [{ entries: [EXAMPLE_AUDIT_ENTRY], cursor: null }] },
);
