// The policy service with the validator that the filter has too, and a document as an operator writes it.
import { expect, it } from "vitest";
import { PolicyService } from "../../../src/app/policy/policy-service.js";
import { NoPolicyError } from "../../../src/app/policy/policy-steps.js";
import { validatePolicyJson } from "../../../src/domain/policy/validator.js";
import { readPolicyDocument } from "../../../src/domain/policy/read-policy.js";
import { MemoryStore } from "../../../src/store/memory/store.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { noAudit } from "../../support/no-audit.js";

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
    validate: { readPolicyDocument },
    store: new MemoryStore().policies,
    audit: noAudit,
    sessions: { countLive: () => Promise.resolve(0) },
    operator: { sessionsBefore: () => Promise.resolve([]) },
    clock: new FixedClock(),
    logger: quiet,
  });

it("edges are given a policy that the filter accepts, in the form that it prints itself", async () => {
  const service = await start(DOCUMENT);
  const given = service.published("gw-1").bytes.toString();
  expect(validatePolicyJson(given)).toMatchObject({
    policy: { plans: [{ name: "default", tokenRefillRate: 7.000001 }] },
    policyJson: given,
  });
});

it("a rejected document is logged with line, column and path", async () => {
  const rejected = start(DOCUMENT.replace("7.000001", '"10"'));
  await expect(rejected).rejects.toThrow(NoPolicyError);
  await expect(rejected).rejects.toThrow(
    /policy\.yaml:6:\d+: plans\[0\]\.tokenRefillRate: expected a number .* got "10"/,
  );
});
