// Event streams of a minute whose requests reserved tokens, under tens of thousands of newer requests that settle too: each
// gives back what it did not use, through a real Envoy.
import { once } from "node:events";
import { expect, it } from "vitest";
import { until } from "../../control-plane/test/support/until.js";
import { withHttp2Upstream } from "../e2e/harness/grpc.js";
import { drive, times } from "../e2e/harness/http2-load.js";
import { useInstallation } from "../e2e/harness/installation.js";
import { policyOf } from "../e2e/harness/policy.js";
import { UsageUpstream } from "../e2e/harness/usage-upstream.js";

const MAX_TOKENS = 9_000_000;
const RESERVED = 400;
const STREAMS = 50;
const LASTS_MS = 60_000;
const NEWER = 20_000;
const COST = 3;

const llm = { name: "llm", maxTokens: MAX_TOKENS, tokenRefillRate: 0, applies: "routes" as const };
const upstream = new UsageUpstream();
const sluice = useInstallation({
  filter: "sluice-settle",
  policy: policyOf([{ name: "default", maxTokens: MAX_TOKENS, tokenRefillRate: 0, limits: [llm] }], {
    routes: [
      {
        match: { prefix: "/lasting" },
        limits: { llm: RESERVED },
        settle: { limit: "llm", json: "/usage/total_tokens" },
      },
      { match: { prefix: "/short" }, limits: { llm: RESERVED }, settle: { limit: "llm", header: "x-cost" } },
      { match: { prefix: "/peek" }, cost: 0, limits: { llm: 0 } },
    ],
    response: { limits: "all" },
  }),
  upstream: (port) => upstream.listen(port),
  bootstrap: withHttp2Upstream,
});

it("event streams of a minute give back what they did not use, under 20,000 newer requests", async () => {
  const { token } = await sluice().api.issue();
  const left = async (): Promise<number> => {
    const { headers } = await sluice().send({ token, path: "/peek" });
    return Number(/"llm";r=(\d+)/.exec(String(headers.ratelimit))?.[1]);
  };
  const connections = await sluice().connect(4);
  const lasting = Array.from({ length: STREAMS }, (_, index) => {
    const path = `/lasting?cost=${COST}&ms=${LASTS_MS}`;
    const stream = connections[index % connections.length]?.request({ ":path": path, "x-session-id": token });
    if (stream === undefined) throw new Error("there is no connection");
    return stream.resume();
  });
  await until(async () => {
    expect(await left()).toBe(MAX_TOKENS - STREAMS * RESERVED);
  });
  const headers = { ":path": `/short?cost=${COST}`, "x-session-id": token };
  const newer = await drive({ connections, inFlight: 16, next: times(NEWER, headers) });
  expect(newer).toMatchObject({ statuses: { 200: NEWER }, failures: [] });
  await until(async () => {
    expect(await left()).toBe(MAX_TOKENS - STREAMS * RESERVED - NEWER * COST);
  });
  expect(lasting.some(({ closed }) => closed)).toBe(false);
  await Promise.all(lasting.map((stream) => once(stream, "close")));
  await until(async () => {
    expect(await left()).toBe(MAX_TOKENS - (STREAMS + NEWER) * COST);
  });
  for (const connection of connections) connection.close();
});
