// What lists, changes of plan, re-issues and the audit log take and answer.
import { Type } from "typebox";

import { MAX_ID_CHARS } from "../../domain/session.js";
import { WAIT_FORM } from "../../domain/revocation-wait.js";
import { CONFIRMATION, planName, SessionSchema, strictObject, text, timeMs } from "../schemas.js";

export const DEFAULT_PAGE = "100";
export const MAX_PAGE = "1000";
/** What a cursor is expected to be. */
export const CURSOR = "the cursor of the page before, as it was answered";

const page = {
  limit: Type.Optional(
    Type.String({
      pattern: "^(?:[1-9][0-9]{0,2}|1000)$",
      default: DEFAULT_PAGE,
      description: "an integer from 1 to 1000: how many at the most",
    }),
  ),
  cursor: Type.Optional(
    Type.String({
      pattern: "^[A-Za-z0-9_-]{1,64}$",
      description: CURSOR,
    }),
  ),
};
export const cursorAnswer = Type.Union([Type.String(), Type.Null()], {
  description: "for the next page; null: this is the last. A page may hold fewer than limit and not be the last",
});

export const PageQuery = strictObject(page);

/** Of a list by name, whose cursors are as long as names. */
export const NamePageQuery = strictObject({
  limit: page.limit,
  cursor: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9_-]{1,1400}$", description: CURSOR })),
});

export const ListQuery = strictObject({
  userId: Type.Optional(text(1, MAX_ID_CHARS)),
  orgId: Type.Optional(text(1, MAX_ID_CHARS)),
  issuer: Type.Optional(text(1, MAX_ID_CHARS)),
  plan: Type.Optional(planName("")),
  state: Type.Optional(
    Type.Union([Type.Literal("live"), Type.Literal("revoked"), Type.Literal("expired")], {
      description: "one of live, revoked, expired",
    }),
  ),
  ...page,
});

export const ListAnswer = Type.Object({
  sessions: Type.Array(SessionSchema),
  cursor: cursorAnswer,
  reportInterval: Type.Union([Type.Integer(), Type.Null()], {
    description: "the policy's: within so many ms an edge reports what a session consumed there; null: no policy yet",
  }),
});

export const RevokeQuery = strictObject({
  wait: Type.Optional(Type.String({ description: WAIT_FORM })),
});
export const ConfirmedAnswer = Type.Object(
  { revocation: Type.Object(CONFIRMATION) },
  { description: "the session is revoked, durably; which edges have confirmed" },
);

export const ChangePlanBody = strictObject({ plan: planName("") });

export const CreateHeaders = Type.Object({
  "idempotency-key": Type.Optional(
    Type.String({
      pattern: "^[\\x21-\\x7e]{1,255}$",
      description:
        "1 to 255 visible ASCII characters, such as a UUID: the same creation under the same key within 24 hours " +
        "gives the same session and token",
    }),
  ),
});

export const ReissuedAnswer = Type.Object({
  session: SessionSchema,
  token: Type.String({ description: "the session token: a secret. Tokens given out before stay valid" }),
});

const AuditEntrySchema = Type.Object(
  {
    number: Type.Integer({ description: "grows by one with each entry" }),
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
    }),
    sessionId: Type.Union([Type.String(), Type.Null()]),
    details: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Null()])),
  },
  { description: "an entry of the audit log" },
);

export const AuditAnswer = Type.Object({ entries: Type.Array(AuditEntrySchema), cursor: cursorAnswer });
