// gRPC-Web clients, with Envoy's own filter for them before Sluice, behind it, and without: each reads its denials.
import { describe, expect, it } from "vitest";
import { callGrpcWeb, withGrpcWebFilter } from "../harness/grpc-web.js";
import { listenGrpc, withHttp2Upstream } from "../harness/grpc.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";

const WEB = "application/grpc-web+proto";
const WEB_TEXT = "application/grpc-web-text+proto";
const PLANS = [{ name: "slow", maxTokens: 1, tokenRefillRate: 0.01 }];

const CHAINS: readonly [chain: string, change: (bootstrap: string) => string][] = [
  ["without Envoy's filter", (bootstrap) => bootstrap],
  ["with Envoy's filter before Sluice", (bootstrap) => withGrpcWebFilter(bootstrap, "before")],
  ["with Envoy's filter behind Sluice", (bootstrap) => withGrpcWebFilter(bootstrap, "behind")],
];

describe.each(CHAINS)("a gRPC-Web client %s", (chain, change) => {
  const sluice = useInstallation({
    policy: policyOf(PLANS, { onUnreachable: "deny" }),
    upstream: listenGrpc,
    bootstrap: (yaml) => withHttp2Upstream(change(yaml)),
  });
  const call = (type: string, token?: string) => callGrpcWeb(sluice().ports.proxy, type, "hello", token);

  it.each([WEB, WEB_TEXT])(`a gRPC-Web client ${chain} reads its denials as %s`, async (type) => {
    const missing = { code: 16, details: "Session ID is required", type, answer: undefined };
    expect(await call(type)).toMatchObject(missing);
    expect(await call(type, "invented")).toMatchObject({ code: 16, details: "Session is invalid or expired", type });
    const { token } = await sluice().api.issue();
    const admitted = await call(type, token).catch(String);
    if (chain !== "without Envoy's filter") {
      expect(admitted).toMatchObject({ code: 0, answer: Buffer.from("hello"), type });
    }
    const limited = await call(type, token);
    expect(limited).toMatchObject({ code: 8, details: "Rate limit exceeded for session", type, answer: undefined });
    expect(limited.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(limited.headers.get("ratelimit")).toMatch(/^"slow";r=0;t=\d+$/);
  });
});
