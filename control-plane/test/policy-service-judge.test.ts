// The policy service with the judge that the filter has too, and a document as an operator writes it.
import { expect, it } from "vitest";
import { NoPolicyError, PolicyService } from "../src/app/policy-service.js";
import { judgePolicyJson, pushedPolicyJson } from "../src/domain/policy/judge.js";
import { readPolicyDocument } from "../src/domain/policy/read-policy.js";
import { noAudit } from "./support/no-audit.js";

const DOCUMENT = `version: 1
plans:
  - id: 0
    name: default
    maxTokens: 100
    tokenRefillRate: 7.000001
`;

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const start = (text: string): Promise<PolicyService> =>
  PolicyService.start({
    source: { name: "policy.yaml", read: () => Promise.resolve(text), watch: () => () => undefined },
    judge: { readPolicyDocument, pushedPolicyJson },
    store: { loadPolicy: () => Promise.resolve(undefined), savePolicy: () => Promise.resolve() },
    audit: noAudit,
    sessions: { countLive: () => Promise.resolve(0) },
    clock: { nowMs: () => 0, monotonicMs: () => 0 },
    logger: quiet,
  });

it("what edges are sent is a policy that the filter accepts, with its number and revision", async () => {
  const service = await start(DOCUMENT);
  const verdict = judgePolicyJson(service.published().pushedJson("9f86d081884c7d65"), true);
  expect(verdict).toMatchObject({
    policy: { generation: 1, revision: "9f86d081884c7d65", plans: [{ name: "default", tokenRefillRate: 7.000001 }] },
  });
});

it("a refused document is told with line, column and path", async () => {
  const refused = start(DOCUMENT.replace("7.000001", '"10"'));
  await expect(refused).rejects.toThrow(NoPolicyError);
  await expect(refused).rejects.toThrow(
    /policy\.yaml:6:\d+: plans\[0\]\.tokenRefillRate: expected a number .* got "10"/,
  );
});
