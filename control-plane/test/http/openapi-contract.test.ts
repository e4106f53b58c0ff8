// The examples of the OpenAPI document, sent to a control plane in an order in which they make sense together.
import { expect, it } from "vitest";

import {
  EXAMPLE_HASH,
  EXAMPLE_ID,
  EXAMPLE_LEASE,
  EXAMPLE_LOG,
  EXAMPLE_REVOCATION_ID,
  EXAMPLE_WATCH,
} from "../../src/http/examples.js";
import { ADMIN_TOKEN, KEYS, startTestControlPlane } from "../support/control-plane.js";
import type { Answer, Created, TestControlPlane } from "../support/control-plane.js";
import { DescribedAnswers } from "../support/described-answers.js";
import type { OpenApiDocument } from "../support/described-answers.js";
import { differences, DocumentExamples } from "../support/document-examples.js";
import type { Changes } from "../support/document-examples.js";
import { issuersOf } from "../support/issuers.js";
import { MINUTE_MS, running, WRONG_UNIT } from "../support/saved-policies.js";
import { STARTER } from "../support/sessions.js";

const ISSUER = "the-token-of-login";
const CREDENTIALS = { adminToken: ADMIN_TOKEN, edgeCredential: KEYS.edgeCredential };
/** The one whose parameters exclude each other, and the one whose answer has a body only where it is asked to wait. */
const WITHOUT_ITS_OPTIONS = ["revokeSessions", "revokeSession"];

interface Sent {
  readonly operationId: string;
  readonly answer: Answer;
}

/** A control plane to which the examples fit, and what was sent to it. */
async function installation() {
  const held = await running(10 * MINUTE_MS);
  await held.save(WRONG_UNIT);
  const issuers = issuersOf({ name: "login", token: ISSUER });
  const plane = await startTestControlPlane(undefined, { issuers, policyStatus: held.service });
  const gold = {
    ...STARTER,
    ...EXAMPLE_WATCH.policy.plans[0],
    scope: "edge" as const,
    onMaxSessions: "refuse" as const,
  };
  plane.policies.put({ generation: 7, policy: { ...EXAMPLE_WATCH.policy, plans: [gold] } });
  const examples = await DocumentExamples.of(plane, CREDENTIALS);
  examples.real.set(EXAMPLE_HASH, await held.heldHash());
  const sent: Sent[] = [];
  const send = async (operationId: string, changes: Changes = {}): Promise<Answer> => {
    const answer = await examples.send(operationId, changes);
    expect([operationId, answer.status < 300, answer.text]).toEqual([operationId, true, answer.text]);
    sent.push({ operationId, answer });
    return answer;
  };
  /** With what it must have, and with all that it may have. */
  const sendBoth = async (operationId: string, changes: Changes = {}): Promise<void> => {
    if (!WITHOUT_ITS_OPTIONS.includes(operationId)) await send(operationId, changes);
    await send(operationId, { ...changes, optional: "all" });
  };
  return { plane, examples, sent, send, sendBoth };
}

type Send = (operationId: string, changes?: Changes) => Promise<Answer>;

/** The same plan with one budget over all edges, and a session that one of them has a lease of. */
async function underFleetScope(plane: TestControlPlane, examples: DocumentExamples, send: Send): Promise<void> {
  const policy = { ...EXAMPLE_WATCH.policy, plans: [...(plane.policies.current()?.policy.plans ?? [])] };
  const plans = policy.plans.map((plan) => ({ ...plan, scope: "fleet" as const }));
  plane.policies.put({ generation: 8, policy: { ...policy, plans } });
  const { session } = (await send("issueSession", { credential: ISSUER })).body as Created;
  examples.real.set(EXAMPLE_ID, session.id);
  const [wanted = {}] = EXAMPLE_LEASE.call.asks;
  const unspent = { ...(examples.bodyOf(examples.operation("acquireSessions")) as object), usage: [] };
  await send("acquireSessions", { body: { ...unspent, lease: wanted } });
  const number = plane.ports.usage.look(session.id).then(({ found }) => found?.budget?.leases[0]?.ask ?? 0);
  const ask = { ...wanted, session: session.id, ask: (await number) + 1, applied: await number };
  for (const more of [
    {},
    { ask: ask.ask + 1, applied: ask.ask, cost: { "": 200_000_000 }, want: { "": 200_000_000 } },
  ]) {
    await send("leaseTokens", { body: { ...EXAMPLE_LEASE.call, asks: [{ ...ask, ...more }] } });
  }
  for (const of of ["showSession", "showBuckets", "showUsage"]) await send(of);
}

it("each example of a request is answered as the OpenAPI document says, one after the other", async () => {
  const { plane, examples, sent, send, sendBoth } = await installation();
  await sendBoth("issueSession", { credential: ISSUER });
  const { session } = (await send("issueSession", { credential: ISSUER, optional: ["idempotency-key"] }))
    .body as Created;
  examples.real.set(EXAMPLE_ID, session.id);
  for (const of of ["showSession", "changePlan", "reissueToken"]) await sendBoth(of);
  const unspent = { ...(examples.bodyOf(examples.operation("acquireSessions")) as object), usage: [] };
  await send("acquireSessions", { body: unspent });
  for (const of of ["acquireSessions", "reportUsage"]) await sendBoth(of);
  for (const of of ["consumeTokens", "showBuckets", "showUsage", "listSessions"]) await sendBoth(of);
  await send("listSessions", { optional: ["userId", "orgId", "issuer", "plan", "state", "limit"] });

  await send("watch");
  await send("watch", { body: { ...EXAMPLE_WATCH.call, follow: false } });
  await sendBoth("listEdges");
  await send("revokeSession");
  await sendBoth("revokeSession");
  examples.real.set(EXAMPLE_LOG, (await plane.store.position()).log);
  const since = { ...(examples.bodyOf(examples.operation("watch")) as object), since: 0, follow: false };
  await send("watch", { body: since });
  await send("acquireSessions");
  await send("leaseTokens");
  await underFleetScope(plane, examples, send);
  await sendBoth("revokeSessions");
  const [{ answer } = { answer: undefined }] = sent.slice(-1);
  const { id } = (answer?.body as { revocation: { id: string } }).revocation;
  examples.real.set(EXAMPLE_REVOCATION_ID, id);
  for (const of of ["showRevocation", "listAuditEntries", "showPolicyStatus", "showStatus"]) await sendBoth(of);
  await send("confirmPolicy");

  const looksLike = ({ operationId, answer: { status, body } }: Sent) =>
    examples.answersOf(operationId, String(status)).map((example) => differences(example, body));
  for (const one of sent) {
    const found = looksLike(one);
    if (one.answer.status !== 204)
      expect([one.operationId, found]).toEqual([one.operationId, expect.arrayContaining([[]])]);
  }
  for (const { operationId, responses } of examples.operations) {
    const good = Object.keys(responses).filter((status) => status.startsWith("2"));
    const answers = sent.filter((one) => one.operationId === operationId);
    expect([operationId, [...new Set(answers.map(({ answer: { status } }) => String(status)))].sort()]).toEqual([
      operationId,
      good,
    ]);
    for (const status of good) {
      const unlike = examples
        .answersOf(operationId, status)
        .filter((example) => !answers.some(({ answer: { body } }) => differences(example, body).length === 0));
      expect([operationId, unlike]).toEqual([operationId, []]);
    }
  }
});

it("each example of the OpenAPI document is one of its schema", async () => {
  const plane = await startTestControlPlane();
  const document = (await plane.call("GET", "/openapi.json")).body as OpenApiDocument;
  const described = new DescribedAnswers(document);
  const examples = new DocumentExamples(plane, document, CREDENTIALS);
  const wrong: string[] = [];
  for (const operation of examples.operations) {
    const { method, path, parameters, requestBody, responses, operationId } = operation;
    const at = ["paths", path, method.toLowerCase()];
    parameters.forEach((parameter, i) => {
      if ("$ref" in parameter) return;
      expect([operationId, parameter.name, parameter.example ?? "orgId"]).not.toContain(undefined);
      if (parameter.example === undefined) return;
      wrong.push(...described.bodyErrors(parameter.example, ...at, "parameters", String(i), "schema"));
    });
    if (requestBody !== undefined) {
      const schema = [...at, "requestBody", "content", "application/json", "schema"];
      expect(examples.bodyOf(operation), operationId).toBeDefined();
      wrong.push(...described.bodyErrors(examples.bodyOf(operation), ...schema));
    }
    for (const [status, { content }] of Object.entries(responses)) {
      if (content === undefined) continue;
      expect([operationId, status, examples.answersOf(operationId, status).length]).not.toContain(0);
      const schema = [...at, "responses", status, "content", "application/json", "schema"];
      for (const one of examples.answersOf(operationId, status)) wrong.push(...described.bodyErrors(one, ...schema));
    }
  }
  expect(wrong).toEqual([]);
});
