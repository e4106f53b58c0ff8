// When npm start may say "ready": its Envoy has reported the published policy, in this life of it.
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { hasReported } from "../../scripts/start/reported-policy.js";
import { waitForAnswer } from "../../scripts/start/readiness.js";

const SINCE_MS = 1000;
const edgeWith = (worker: object, state = "current", edge = "gw"): string =>
  JSON.stringify({ edges: [{ edge, state, published: 7, instances: [{ workers: [worker] }] }] });

it.each<[string, string, boolean]>([
  ["runs the published policy", edgeWith({ generation: 7, lastReportAt: SINCE_MS }), true],
  ["runs an older policy", edgeWith({ generation: 6, lastReportAt: SINCE_MS }), false],
  ["has no policy yet", edgeWith({ generation: null, lastReportAt: SINCE_MS }), false],
  ["reported in an earlier life only", edgeWith({ generation: 7, lastReportAt: SINCE_MS - 1 }), false],
  [
    "runs the policy of its settings for good",
    edgeWith({ generation: 0, lastReportAt: SINCE_MS }, "notFollowing"),
    true,
  ],
  ["is another one", edgeWith({ generation: 7, lastReportAt: SINCE_MS }, "current", "other"), false],
  ["is not there", JSON.stringify({ edges: [] }), false],
])("npm start is ready or waits by whether its Envoy %s", (_, edges, is) => {
  expect(hasReported(edges, "gw", SINCE_MS)).toBe(is);
});

it("npm start says what it waited for in vain, and for how long", async () => {
  const server = createServer((_request, response) => response.end("{}")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/edges`;
  const wanted = { status: 200, holds: () => false, meaning: "that gw has reported its policy" };
  await expect(waitForAnswer(url, wanted, { timeoutMs: 100 })).rejects.toThrow(
    `${url} did not answer 200 that gw has reported its policy within 0.1 s: status 200.`,
  );
  server.close();
});
