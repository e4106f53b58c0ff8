// The shipped envoy.yaml lets an answer take as long as it does: Envoy's own 15 s for a whole answer do not apply.
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { useInstallation } from "../harness/installation.js";
import { openEvents } from "../harness/long-requests.js";
import { policyOf } from "../harness/policy.js";
import { StreamingUpstream } from "../harness/streaming-upstream.js";

/** What Envoy gives a route without a timeout of its own. */
const DEFAULT_ROUTE_TIMEOUT_MS = 15_000;
const LONGER_MS = DEFAULT_ROUTE_TIMEOUT_MS + 2000;

const sluice = useInstallation({
  policy: policyOf([{ name: "default", maxTokens: 100, tokenRefillRate: 0 }]),
  upstream: (port) => new StreamingUpstream().listen(port),
});

it("an event stream and a slow answer outlast the 15 s that Envoy gives by itself", async () => {
  const { token } = await sluice().api.issue();
  const events = await openEvents(sluice().ports.proxy, token);
  const slow = sluice().send({ token, path: `/slow?${LONGER_MS}` });
  await delay(LONGER_MS);
  expect(events.end).toBeUndefined();
  events.close();
  expect(await slow).toMatchObject({ status: 200, body: "at last\n" });
});
