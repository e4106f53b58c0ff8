// gRPC clients: their denials have status codes of their own, and a sentence.
import { EventEmitter, once } from "node:events";
import { describe, expect, it } from "vitest";
import { CHALLENGE } from "../harness/answers.js";
import { callGrpc, listenGrpc, SILENT_METHOD, withHttp2Upstream } from "../harness/grpc.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";

const calls = new EventEmitter();
const sluice = useInstallation({
  policy: policyOf([{ name: "single", maxTokens: 1, tokenRefillRate: 0.01 }], { onUnreachable: "deny" }),
  upstream: (port) => listenGrpc(port, () => calls.emit("silent")),
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

  it("a gRPC client without a valid token gets status 16, UNAUTHENTICATED, and a sentence", async () => {
    const missing = await call();
    expect(missing).toMatchObject({ code: 16, details: "Session ID is required", answer: undefined });
    expect(missing.metadata).toMatchObject({ "www-authenticate": CHALLENGE, "content-type": "application/grpc" });
    expect(await call("invented")).toMatchObject({ code: 16, details: "Session is invalid or expired" });
  });

  it("a gRPC client above its limit gets status 8, RESOURCE_EXHAUSTED, and when to come back", async () => {
    const { token } = await sluice().api.issue();
    expect((await call(token)).code).toBe(0);
    const limited = await call(token);
    expect(limited).toMatchObject({ code: 8, details: "Rate limit exceeded for session", answer: undefined });
    expect(limited.metadata).toMatchObject({
      "retry-after": expect.stringMatching(/^\d+$/) as string,
      ratelimit: expect.stringMatching(/^"single";r=0;t=\d+$/) as string,
      "ratelimit-policy": '"single";q=1;w=100',
    });
  });

  it("a gRPC client whose session is revoked sees its call end with status 13, INTERNAL", async () => {
    const { token, id } = await sluice().api.issue();
    const isThere = once(calls, "silent");
    const open = callGrpc(sluice().ports.proxy, Buffer.from("hello"), token, SILENT_METHOD);
    await isThere;
    await sluice().api.revoke(id);
    expect(await open).toMatchObject({ code: 13, answer: undefined });
  });

  it("a gRPC client gets status 14, UNAVAILABLE, in an outage under deny", async () => {
    const { token } = await sluice().api.issue();
    await sluice().controlPlane.killHard();
    expect(await call(token)).toMatchObject({ code: 14, details: "Rate limiter is unavailable", answer: undefined });
    await sluice().controlPlane.start();
    expect((await call(token)).code).toBe(0);
  });
});
