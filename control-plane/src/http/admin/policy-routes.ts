// The operators' routes about the policy: what is in force and what is held back, and the word that lets it through.
import { Type } from "typebox";

import { POLICY_HASH_CHARS } from "../../../../assembly/contract.js";
import type { PolicyService } from "../../app/policy/policy-service.js";
import type { PolicyStatus } from "../../app/policy/policy-status.js";
import { sendError } from "../errors.js";
import { actorOf } from "../guard.js";
import { EXAMPLE_HASH, EXAMPLE_POLICY_CONFIRMED, EXAMPLE_POLICY_STATUS } from "../examples.js";
import { COMMON, errorAnswers, integer, OF_A_BODY, strictObject, timeMs, word } from "../schemas.js";
import type { HttpApp } from "../app.js";

export type PolicyStatusPort = Pick<PolicyService, "status" | "confirm">;

const tags = ["policy"];
const security = [{ adminToken: [] }];

const hash = Type.String({ description: "the first 64 bits of SHA-256 over its canonical JSON, in hex" });
const sessions = integer("live sessions that it would end, as they were counted last");
const InForce = Type.Object(
  { generation: integer("grows by one with each policy"), hash },
  { title: "PolicyInForce", description: "the policy in force" },
);

const StatusAnswer = Type.Object(
  {
    inForce: InForce,
    source: Type.Object(
      {
        name: Type.String({ description: "the policy file" }),
        state: word(
          ["taken", "judged", "held", "rejected", "behind"],
          "what became of what stands there: taken; judged: live sessions are counted, to see whether it would end any; " +
            "held: it waits for a confirmation; rejected; behind: it is an older policy, and another control plane over the " +
            "same store has put a newer one in its place",
        ),
      },
      { description: "where the policy comes from" },
    ),
    held: Type.Union(
      [
        Type.Object({
          hash,
          sessions,
          plans: Type.Array(Type.Object({ plan: Type.String({ description: "its name" }), sessions }), {
            description: "the same by plan; plans that would lose none are left out",
          }),
          since: timeMs("since when it is held or behind"),
          countedAt: timeMs("when the sessions were counted"),
        }),
        Type.Null(),
      ],
      {
        description:
          "the policy that waits for a confirmation, because it would end live sessions or is behind; null: there is none",
      },
    ),
  },
  { description: "the policy in force, and the one that is held", examples: [EXAMPLE_POLICY_STATUS] },
);

const ConfirmBody = strictObject(
  {
    hash: Type.String({
      pattern: `^[0-9a-f]{${POLICY_HASH_CHARS}}$`,
      description: `the ${POLICY_HASH_CHARS} hex digits by which the held policy is named`,
    }),
  },
  { examples: [{ hash: EXAMPLE_HASH }] },
);
const ConfirmAnswer = Type.Object(
  { inForce: InForce, sessions },
  { description: "the policy is in force, durably", examples: [EXAMPLE_POLICY_CONFIRMED] },
);

/** To be called in a scope that `guardAdmins` keeps. */
export function policyRoutes(app: HttpApp, policies: PolicyStatusPort): void {
  const status = {
    operationId: "showPolicyStatus",
    tags,
    security,
    summary: "Which policy is in force, and which one waits for a confirmation",
    response: { 200: StatusAnswer, ...errorAnswers(...COMMON) },
  };
  app.get("/v1/policy/status", { schema: status }, async (_request, reply) =>
    reply.code(200).send(shown(await policies.status())),
  );

  const confirm = {
    operationId: "confirmPolicy",
    tags,
    security,
    summary: "Publish the policy that is held back, although it ends live sessions",
    body: ConfirmBody,
    response: {
      200: ConfirmAnswer,
      ...errorAnswers(
        ...COMMON,
        ...OF_A_BODY,
        ...(["POLICY_NOT_HELD", "POLICY_HASH_DIFFERS", "POLICY_REJECTED", "NOT_WRITTEN"] as const),
      ),
    },
  };
  app.post("/v1/policy/confirm", { schema: confirm }, async (request, reply) => {
    const done = await policies.confirm(request.body.hash, actorOf(request));
    switch (done.outcome) {
      case "noneHeld":
        return sendError(reply, "POLICY_NOT_HELD");
      case "anotherHeld":
        return sendError(reply, "POLICY_HASH_DIFFERS");
      case "rejected":
        return sendError(reply, "POLICY_REJECTED", { message: done.violations[0]?.message ?? "" });
      case "published": {
        const { generation, sessions: ended } = done;
        return reply.code(200).send({ inForce: { generation, hash: done.hash }, sessions: ended });
      }
    }
  });
}

function shown({ inForce, source, held }: PolicyStatus) {
  if (held === undefined) return { inForce, source, held: null };
  const { ended, since, countedAt } = held;
  const plans = ended.plans.map((one) => ({ ...one }));
  return { inForce, source, held: { hash: held.hash, sessions: ended.sessions, plans, since, countedAt } };
}
