// Each error that the OpenAPI document names at an operation is one that the operation gives.
import { expect, it, vi } from "vitest";

import { StoreUnwritable } from "../../src/app/ports/store-health.js";
import { EXAMPLE_HASH, EXAMPLE_ID, EXAMPLE_KEY, EXAMPLE_METADATA } from "../../src/http/examples.js";
import type { ErrorBody } from "../../src/http/errors.js";
import { ADMIN_TOKEN, created, KEYS, startTestControlPlane } from "../support/control-plane.js";
import type { Answer, TestControlPlane } from "../support/control-plane.js";
import { differences, DocumentExamples } from "../support/document-examples.js";
import type { Changes, Described } from "../support/document-examples.js";
import { issuersOf } from "../support/issuers.js";
import { MINUTE_MS, running, WRONG_UNIT } from "../support/saved-policies.js";
import { STARTER } from "../support/sessions.js";

/** These are not given here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  INTERNAL: "a failure that nobody foresaw: http-errors.test.ts",
  NOT_READY: "too many watches, or too much waits: watch-request.test.ts, usage-report.test.ts and lease-call.test.ts",
  "issueSession SESSION_ENDED": "a key outlived its session: session-creation-repeated.test.ts",
  MALFORMED_REQUEST: "before there is a route: request-head.test.ts",
  REQUEST_TIMEOUT: "before there is a route: request-head.test.ts",
  EXPECTATION_FAILED: "before there is a route: request-head.test.ts",
  HEADERS_TOO_LARGE: "before there is a route: http-errors.test.ts",
};

const CREDENTIALS = { adminToken: ADMIN_TOKEN, edgeCredential: KEYS.edgeCredential };
const MISSING = "019b76da-a800-7000-8000-000000000000";
const GOLD = { ...STARTER, id: 1, name: "gold", tokenBudget: 100 };
const SILVER = { ...STARTER, id: 2, name: "silver" };
const SINGLE = { ...STARTER, id: 3, name: "single", maxSessionsPerUser: 1 };

/** Whether a field is named depends on what is wrong. */
const errorIn = (body: unknown) => ({ ...(body as ErrorBody).error, field: "" });
const codeOf = ({ status, body }: Answer): string => (status < 400 ? String(status) : (body as ErrorBody).error.code);

/** Requests that are wrong in a way that any operation of that form would say. */
function wrongRequests(operation: Described): Changes[] {
  const inPath = operation.path.includes("{id}") ? [{ id: "x" }, { id: MISSING }, { id: "a".repeat(200) }] : [];
  const inBody = [{ body: {} }, { body: "{" }, { body: { a: "x".repeat(70_000) } }];
  const ofType = { body: "a", headers: { "content-type": "text/plain" } };
  return [
    ...[
      { credential: "of-nobody" },
      { credential: "of-none" },
      { query: "limit=10abc" },
      { query: "userId=u1&userId=u1" },
    ],
    ...inPath,
    ...(operation.method === "GET" ? [] : [...inBody, ofType]),
  ];
}

/** What depends on what there is: by operation, and with the session that its examples are about. */
async function wrongMoments(plane: TestControlPlane, send: Send, real: Map<string, string>): Promise<void> {
  const user = { userId: "u1", orgId: "o1" };
  const id = (await created(plane, { ...user, plan: "gold" })).session.id;
  real.set(EXAMPLE_ID, id);
  const other = (await created(plane, { ...user, plan: "silver" })).session.id;
  await created(plane, { ...user, plan: "single" });
  const ended = (await created(plane, { ...user, plan: "gold" })).session.id;
  await plane.call("DELETE", `/v1/sessions/${ended}`);
  const keyed = { headers: { "idempotency-key": EXAMPLE_KEY } };

  await send("issueSession", { body: { ...user, plan: "none" } });
  await send("issueSession", { body: { ...user, plan: "single" } });
  await send("issueSession", { body: user, ...keyed });
  await send("issueSession", { body: { ...user, metadata: EXAMPLE_METADATA }, ...keyed });
  await send("listSessions", { query: "plan=none" });
  for (const plan of ["none", "single"]) await send("changePlan", { id, body: { plan } });
  for (const of of ["changePlan", "reissueToken", "consumeTokens"]) await send(of, { id: ended });
  await send("consumeTokens", { id: other });
  await send("consumeTokens", { id, body: { count: 101 } });
  await send("consumeTokens", { id, ...keyed });
  await send("consumeTokens", { id, body: { count: 6 }, ...keyed });

  const update = vi.spyOn(plane.store, "update").mockRejectedValue(new StoreUnwritable("the disk is full"));
  for (const of of ["issueSession", "revokeSessions"]) await send(of, { optional: ["userId"] });
  for (const of of ["changePlan", "reissueToken", "consumeTokens", "revokeSession"]) await send(of, { id });
  for (const of of ["acquireSessions", "reportUsage", "leaseTokens"]) await send(of);
  update.mockRestore();
  plane.setPlans();
  for (const of of ["issueSession", "changePlan", "consumeTokens", "acquireSessions"]) await send(of, { id });
}

type Send = (operationId: string, changes?: Changes) => Promise<unknown>;

it("an operation gives each error that the OpenAPI document names there, as in its example", async () => {
  const held = await running(10 * MINUTE_MS);
  const issuers = issuersOf({ name: "none", token: "of-none", scopes: [] });
  const plane = await startTestControlPlane(undefined, { issuers, policyStatus: held.service });
  plane.setPlans(GOLD, SILVER, SINGLE);
  const slow = await startTestControlPlane(undefined, {
    apiRate: { perSecond: 1, burst: 1 },
    admission: { take: () => 1000 },
  });
  const [examples, ofSlow] = [
    await DocumentExamples.of(plane, CREDENTIALS),
    await DocumentExamples.of(slow, CREDENTIALS),
  ];
  const given = new Map<string, Answer>();
  const send = async (operationId: string, changes: Changes = {}): Promise<void> => {
    const answer = await examples.send(operationId, changes);
    given.set(`${operationId} ${codeOf(answer)}`, answer);
  };

  for (const operation of examples.operations) {
    for (const wrong of wrongRequests(operation)) await send(operation.operationId, wrong);
    await ofSlow.send(operation.operationId);
    const answer = await ofSlow.send(operation.operationId);
    given.set(`${operation.operationId} ${codeOf(answer)}`, answer);
  }
  await send("confirmPolicy");
  await held.save(WRONG_UNIT);
  await send("confirmPolicy", { body: { hash: EXAMPLE_HASH } });
  const hash = await held.heldHash();
  const save = vi.spyOn(held.store.policies, "savePolicy").mockRejectedValueOnce(new StoreUnwritable("no space"));
  await send("confirmPolicy", { body: { hash } });
  save.mockRestore();
  await held.save(WRONG_UNIT.replace(/.*"id":1.*\n/, ""));
  await held.issued(1000, "gold");
  await send("confirmPolicy", { body: { hash: await held.heldHash() } });
  await wrongMoments(plane, send, examples.real);

  const missing: string[] = [];
  for (const { operationId, responses } of examples.operations) {
    for (const [status, { description }] of Object.entries(responses)) {
      if (status.startsWith("2")) continue;
      for (const [i, code] of description.split(", ").entries()) {
        if (code in ELSEWHERE || `${operationId} ${code}` in ELSEWHERE) continue;
        const answer = given.get(`${operationId} ${code}`);
        if (answer === undefined) missing.push(`${operationId} ${code}`);
        else {
          const [example, real] = [errorIn(examples.answersOf(operationId, status)[i]), errorIn(answer.body)];
          expect([example.code, differences(example, real)]).toEqual([code, []]);
        }
      }
    }
  }
  expect(missing).toEqual([]);
});
