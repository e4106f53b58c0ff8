// gRPC clients: their denials have status codes of their own.
import { describe, expect, it } from "vitest";
import { INVALID, LIMITED, MISSING, UNAVAILABLE } from "../harness/answers.js";
import { callGrpc, listenGrpc, withHttp2Upstream } from "../harness/grpc.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";

const sluice = useInstallation({
  policy: policyOf([{ name: "single", maxTokens: 1, tokenRefillRate: 0 }], { onUnreachable: "deny" }),
  upstream: listenGrpc,
  bootstrap: withHttp2Upstream,
});

const call = (token?: string) => callGrpc(sluice().ports.proxy, Buffer.from("hello"), token);

describe("a gRPC client", () => {
  it("a gRPC client with a token reaches its service", async () => {
    const { token } = await sluice().api.issue();
    const { code, answer } = await call(token);
    expect(code).toBe(0);
    expect(answer?.toString()).toBe("hello");
  });

  it("a gRPC client without a valid token gets status 16, UNAUTHENTICATED", async () => {
    expect(await call()).toEqual({ code: 16, details: MISSING, answer: undefined });
    expect(await call("invented")).toEqual({ code: 16, details: INVALID, answer: undefined });
  });

  it("a gRPC client above its limit gets status 8, RESOURCE_EXHAUSTED", async () => {
    const { token } = await sluice().api.issue();
    expect((await call(token)).code).toBe(0);
    expect(await call(token)).toEqual({ code: 8, details: LIMITED, answer: undefined });
  });

  it("a gRPC client gets status 14, UNAVAILABLE, in an outage under deny", async () => {
    const { token } = await sluice().api.issue();
    await sluice().controlPlane.killHard();
    expect(await call(token)).toEqual({ code: 14, details: UNAVAILABLE, answer: undefined });
    await sluice().controlPlane.start();
    expect((await call(token)).code).toBe(0);
  });
});
