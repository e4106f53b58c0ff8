// An Envoy without a policy in its settings that starts beside a running control plane, under load from the moment at
// which it listens. How high the rate may be is measured by `npm run measure:policy`.
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { send } from "../harness/http1.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";

const RATE_PER_SECOND = 100;
const SECONDS = 4;
/** A second's worth, however long Envoy takes to listen. */
const ANSWERS_AT_LEAST = RATE_PER_SECOND + 1;
const sluice = useInstallation({
  policy: policyOf([{ name: "default", maxTokens: 100_000, tokenRefillRate: 0 }]),
  startEdges: false,
  awaitPolicy: false,
});

it("an Envoy that starts under load answers no request with 503", async () => {
  const { token } = await sluice().api.issue();
  const { proxy } = sluice().ports;
  const statuses: Record<number, number> = {};
  const answers: Promise<void>[] = [];
  let answered = 0;
  const fails = new AbortController();
  const started = sluice().envoy.start();
  started.catch(() => {
    fails.abort();
  });
  const endMs = performance.now() + SECONDS * 1000;
  while (performance.now() < endMs || (answered < ANSWERS_AT_LEAST && !fails.signal.aborted)) {
    const answer = send(proxy, { token }).then(
      ({ status }) => {
        answered++;
        statuses[status] = (statuses[status] ?? 0) + 1;
      },
      (error: unknown) => {
        // It does not listen yet; once it has answered, nothing may fail.
        if (answered > 0) throw error;
      },
    );
    answers.push(answer);
    await delay(1000 / RATE_PER_SECOND);
  }
  await started;
  await Promise.all(answers);
  expect(Object.keys(statuses)).toEqual(["200"]);
  expect(statuses[200]).toBeGreaterThan(RATE_PER_SECOND);
});
