// An event stream of 40 s through the shipped envoy.yaml: longer than two of Envoy's own route timeouts.
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { useInstallation } from "../e2e/harness/installation.js";
import { openEvents } from "../e2e/harness/long-requests.js";
import { policyOf } from "../e2e/harness/policy.js";
import { StreamingUpstream } from "../e2e/harness/streaming-upstream.js";

const LASTS_MS = 40_000;

const sluice = useInstallation({
  policy: policyOf([{ name: "default", maxTokens: 100, tokenRefillRate: 0 }]),
  upstream: (port) => new StreamingUpstream().listen(port),
});

it("an event stream of 40 s is not cut, and ends with its session after that", async () => {
  const { id, token } = await sluice().api.issue();
  const events = await openEvents(sluice().ports.proxy, token);
  await delay(LASTS_MS);
  expect(events.end).toBeUndefined();
  await sluice().api.revoke(id);
  await expect.poll(() => events.end).toBe("ECONNRESET");
});
