// Streams that the xDS server refuses or ends, and its own start and stop.
import { status } from "@grpc/grpc-js";
import { describe, expect, it, vi } from "vitest";

import { CLUSTER_TYPE } from "./support/xds-client.js";
import { CREDENTIAL, generationIn, servingXds, until } from "./support/xds-server.js";

describe("a stream is refused", () => {
  it.each([
    ["without a credential", null],
    ["with a wrong credential", "Bearer third-credential"],
    ["with a credential that only begins well", "Bearer first"],
    ["with a credential under another scheme", "Basic first-credential"],
  ])("%s", async (_, authorization) => {
    const { rollout, counted, serve, envoy } = servingXds();
    const stream = envoy(await serve(), authorization);
    expect((await stream.ended).code).toBe(status.UNAUTHENTICATED);
    expect(counted).toEqual(["unauthenticated"]);
    expect(rollout.edges()).toEqual([]);
  });

  it("but not with the other credential of a rotation", async () => {
    const { serve, envoy } = servingXds();
    const stream = envoy(await serve(), "Bearer second-credential");
    stream.subscribe();
    expect(generationIn(await stream.next())).toBe(1);
  });

  it.each(["DeltaAggregatedResources", "DeltaExtensionConfigs"] as const)(
    "for %s, with what to set",
    async (method) => {
      const { serve, envoy } = servingXds();
      const end = await envoy(await serve(), CREDENTIAL, "gw-1", method).ended;
      expect(end.code).toBe(status.UNIMPLEMENTED);
      expect(end.details).toContain("api_type GRPC");
    },
  );

  it.each([
    ["empty", "", "node.id is empty"],
    ["too long", "g".repeat(257), "longer than 256 bytes"],
  ])("where node.id is %s", async (_, node, details) => {
    const { rollout, serve, envoy } = servingXds();
    const stream = envoy(await serve(), CREDENTIAL, node);
    stream.subscribe();
    const end = await stream.ended;
    expect(end.code).toBe(status.INVALID_ARGUMENT);
    expect(end.details).toContain(details);
    expect(rollout.edges()).toEqual([]);
  });

  it("where as many are open as may be, until one goes", async () => {
    const { counted, serve, envoy, running } = servingXds();
    const server = await serve({ maxStreams: 1 });
    const { stream } = await running(server);
    expect((await envoy(server, CREDENTIAL, "gw-2").ended).code).toBe(status.RESOURCE_EXHAUSTED);
    stream.close();
    await until(() => {
      expect(counted).toContain("closed");
    });
    const third = envoy(server, CREDENTIAL, "gw-3");
    third.subscribe();
    expect(generationIn(await third.next())).toBe(1);
  });

  it("where a request is larger than a megabyte, and others go on", async () => {
    const { policies, serve, envoy, running } = servingXds();
    const server = await serve();
    const { stream: other } = await running(server, "gw-2");
    const stream = envoy(server);
    stream.send({ type_url: CLUSTER_TYPE, resource_names: ["x".repeat(1_100_000)] });
    expect((await stream.ended).code).toBe(status.RESOURCE_EXHAUSTED);
    policies.publish();
    expect(generationIn(await other.next())).toBe(2);
  });
});

describe("the server", () => {
  it("ends a stream on which it fails, and serves the others", async () => {
    const { policies, rollout, counted, serve, envoy, running } = servingXds();
    const server = await serve();
    const { stream: other } = await running(server, "gw-2");
    const failing = vi.spyOn(rollout, "connected").mockImplementationOnce(() => {
      throw new Error("out of order");
    });
    const stream = envoy(server);
    stream.subscribe();
    expect((await stream.ended).code).toBe(status.INTERNAL);
    failing.mockRestore();
    expect(counted).toContain("failed");
    policies.publish();
    expect(generationIn(await other.next())).toBe(2);
  });

  it("says so when it stops, and frees its port", async () => {
    const { rollout, serve, running } = servingXds();
    const server = await serve();
    const { stream } = await running(server);
    await server.close();
    expect((await stream.ended).code).toBe(status.UNAVAILABLE);
    expect(rollout.edge("gw-1")?.streams).toBe(0);
    const next = await serve({ port: server.port });
    expect(next.port).toBe(server.port);
  });

  it("does not start on a port that is taken", async () => {
    const { serve } = servingXds();
    const server = await serve();
    await expect(serve({ port: server.port })).rejects.toThrow("EADDRINUSE");
  });
});
