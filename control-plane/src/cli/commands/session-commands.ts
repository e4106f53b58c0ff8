// The commands about one session: issue, show, change plan, its token again, consume.
import type { BucketsAnswer, ConsumeAnswer, SessionAnswer, TokenAnswer } from "../client/answers.js";
import { sessionPath } from "../client/client.js";
import type { ApiCommand, Option } from "../command.js";
import { usageFailure } from "../failure.js";
import { showBuckets } from "./bucket-view.js";
import { showFleet } from "./fleet-view.js";
import { showSession, showToken } from "./session-view.js";

export const SESSION_ID = { name: "ID", what: "the session's id, such as session list shows" } as const;
const PLAN: Option = { kind: "text", value: "NAME", what: "the plan's name" };
const KEY: Option = {
  kind: "text",
  value: "KEY",
  what: "repeated with the same key within 24 hours, nothing happens twice",
};
const TOKEN_ONLY: Option = { kind: "flag", what: "print the session token and nothing else" };

export const create: ApiCommand = {
  name: "session create",
  summary: "issue a session and its token",
  args: [],
  options: {
    user: { kind: "text", value: "ID", what: "whose session it is", required: true },
    org: { kind: "text", value: "ID", what: "the user's organisation", required: true },
    plan: { ...PLAN, what: "the plan's name; left out: the policy's first plan" },
    ip: { kind: "text", value: "ADDRESS", what: "the client's address, for the record" },
    "user-agent": { kind: "text", value: "TEXT", what: "the client's program, for the record" },
    route: { kind: "text", value: "TEXT", what: "what it logged in for, for the record" },
    "idempotency-key": KEY,
    "token-only": TOKEN_ONLY,
  },
  notes: ["The token is a secret: who has it is the session. It is not stored; session token gives it out again."],
  example: "session create --user ada --org analytical --token-only",
  next: 'curl -H "X-Session-ID: TOKEN" http://127.0.0.1:10000/   sends a request with it, through the proxy',
  run: async (invocation, client) => {
    const { text } = invocation;
    const metadata = { ip: text("ip"), userAgent: text("user-agent"), route: text("route") };
    const body = { userId: text("user"), orgId: text("org"), plan: text("plan"), metadata };
    const key = text("idempotency-key");
    const answer = await client.call<TokenAnswer>({ method: "POST", path: "/v1/sessions", body, key }, "token");
    if (!answer.ok) return answer.failure;
    showToken(answer.value, invocation);
    return undefined;
  },
};

export const show: ApiCommand = {
  name: "session show",
  summary: "show a session, and what its buckets hold",
  args: [SESSION_ID],
  options: {},
  notes: [
    "Of a live session its buckets, as sluice bucket shows them: as last reported, refilled to now.",
    "Under a plan of fleet scope instead what is left of its budget, and which edges have leases of it.",
  ],
  example: "session show 019b76da-a800-7000-8000-5f6d1c2b3a49",
  next: "sluice usage ID   shows where it spent its tokens",
  run: async ({ args: [id = ""], output }, client) => {
    const answer = await client.call<SessionAnswer>({ method: "GET", path: sessionPath(id) }, "session");
    if (!answer.ok) return answer.failure;
    const level = await client.call<BucketsAnswer>({ method: "GET", path: sessionPath(id, "/bucket") }, "buckets");
    if (!level.ok) return level.failure;
    const { session, fleet } = answer.value;
    const { buckets } = level.value;
    if (output.json) {
      output.document({ ...answer.value, buckets });
      return undefined;
    }
    showSession(session, output);
    if (session.state !== "live") return undefined;
    output.line("");
    if (fleet === undefined) showBuckets(buckets, output);
    else showFleet(fleet, output);
    return undefined;
  },
};

export const changePlan: ApiCommand = {
  name: "session change-plan",
  summary: "give a live session another plan",
  args: [SESSION_ID],
  options: { plan: { ...PLAN, required: true } },
  notes: ["It keeps its token and, as far as the new bucket holds it, its level. Edges learn of it at once."],
  example: "session change-plan 019b76da-a800-7000-8000-5f6d1c2b3a49 --plan gold",
  next: "sluice bucket ID   shows the level under the new plan",
  run: async ({ args: [id = ""], text, output }, client) => {
    const body = { plan: text("plan") };
    const answer = await client.call<SessionAnswer>({ method: "PATCH", path: sessionPath(id), body }, "session");
    if (!answer.ok) return answer.failure;
    if (output.json) output.document(answer.value);
    else showSession(answer.value.session, output);
    return undefined;
  },
};

export const token: ApiCommand = {
  name: "session token",
  summary: "give out the token of a live session once more",
  args: [SESSION_ID],
  options: { "token-only": TOKEN_ONLY },
  notes: ["Tokens given out before stay valid: revoke the session if one is lost. The audit log records each call."],
  example: "session token 019b76da-a800-7000-8000-5f6d1c2b3a49 --token-only",
  next: "sluice session revoke ID   ends the session, and with it all its tokens",
  run: async (invocation, client) => {
    const [id = ""] = invocation.args;
    const answer = await client.call<TokenAnswer>({ method: "POST", path: sessionPath(id, "/token") }, "token");
    if (!answer.ok) return answer.failure;
    showToken(answer.value, invocation);
    return undefined;
  },
};

export const consume: ApiCommand = {
  name: "session consume",
  summary: "spend tokens of a session's budget: all of them or none",
  args: [SESSION_ID, { name: "COUNT", what: "how many tokens" }],
  options: { "idempotency-key": KEY },
  notes: ["The session's plan must have a tokenBudget. Once it is spent, edges deny the session."],
  example: "session consume 019b76da-a800-7000-8000-5f6d1c2b3a49 250 --idempotency-key job-17",
  next: "sluice usage ID   shows what was spent through the API and what at the edges",
  run: async ({ args: [id = "", count = ""], text, output }, client) => {
    if (!/^[1-9]\d{0,15}$/.test(count) || !Number.isSafeInteger(Number(count))) {
      return usageFailure("COUNT: expected a whole number from 1 on", "See: sluice session consume --help");
    }
    const body = { count: Number(count) };
    const key = text("idempotency-key");
    const path = sessionPath(id, "/consume");
    const answer = await client.call<ConsumeAnswer>({ method: "POST", path, body, key }, "remaining");
    if (!answer.ok) return answer.failure;
    const { budget, consumed, remaining } = answer.value;
    if (output.json) output.document(answer.value);
    else output.line(`${consumed} of ${budget} tokens are consumed, ${remaining} are left`);
    return undefined;
  },
};
