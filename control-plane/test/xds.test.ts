// What an Envoy sees of the xDS server, over a real gRPC connection.
import { status } from "@grpc/grpc-js";
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { PolicyPublisher, PublishedPolicy } from "../src/app/policy-ports.js";
import { Rollout } from "../src/app/rollout.js";
import type { XdsEvent } from "../src/xds/edge-streams.js";
import { startXdsServer, type XdsServer, type XdsServerOptions } from "../src/xds/server.js";
import { EnvoyStream, extensionConfig, type StreamMethod } from "./xds-client.js";

const CREDENTIAL = "Bearer first-credential";
const CLUSTER_TYPE = "type.googleapis.com/envoy.config.cluster.v3.Cluster";

class Policies implements PolicyPublisher {
  private readonly listeners = new Set<() => void>();
  private generation = 1;

  published(): PublishedPolicy {
    const generation = this.generation;
    return { generation, pushedJson: (revision) => JSON.stringify({ version: 1, generation, revision }) };
  }
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  publish(): void {
    this.generation++;
    for (const listener of this.listeners) listener();
  }
}

let policies: Policies;
let rollout: Rollout;
let counted: XdsEvent[];
let servers: XdsServer[];
let streams: EnvoyStream[];

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

async function serve(changes: Partial<XdsServerOptions> = {}): Promise<XdsServer> {
  const server = await startXdsServer({
    host: "127.0.0.1",
    port: 0,
    tls: null,
    policies,
    rollout,
    edgeCredentials: ["first-credential", "second-credential"],
    filterPath: "/etc/sluice/sluice-1.wasm",
    logger: quiet,
    random: { bytes: (n) => randomBytes(n) },
    counters: { count: (event) => counted.push(event) },
    ...changes,
  });
  servers.push(server);
  return server;
}

function envoy(server: XdsServer, authorization: string | null = CREDENTIAL, node = "gw-1", method?: StreamMethod) {
  const stream = new EnvoyStream(server.port, authorization, node, method);
  streams.push(stream);
  return stream;
}

/** An Envoy that has asked for the filter and accepted what it got. */
async function running(server: XdsServer, node = "gw-1") {
  const stream = envoy(server, CREDENTIAL, node);
  stream.subscribe();
  const response = await stream.next();
  stream.answer(response);
  await until(() => {
    expect(rollout.edge(node)?.state).toBe("running");
  });
  return { stream, response };
}

const until = (condition: () => void) => vi.waitFor(condition, { timeout: 10_000 });

const generationIn = (response: Parameters<typeof extensionConfig>[0]): unknown => {
  const { value } = extensionConfig(response) as { value: { config: { configuration: { value: string } } } };
  return (JSON.parse(value.config.configuration.value) as { generation: unknown }).generation;
};

beforeEach(() => {
  policies = new Policies();
  rollout = new Rollout({ nowMs: () => 1_700_000_000_000, monotonicMs: () => 0 });
  counted = [];
  servers = [];
  streams = [];
});

afterEach(async () => {
  for (const stream of streams) stream.close();
  await Promise.all(servers.map((server) => server.close()));
});

describe("an Envoy that asks for the filter", () => {
  it("gets the Wasm filter with the policy, its number and a revision inside", async () => {
    const stream = envoy(await serve());
    stream.subscribe();
    const response = await stream.next();
    expect(response.resources).toHaveLength(1);
    const { name, typeUrl, value } = extensionConfig(response);
    expect({ name, typeUrl }).toEqual({
      name: "sluice",
      typeUrl: "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
    });
    expect(value).toEqual({
      config: {
        name: "sluice",
        root_id: "sluice",
        failure_policy: "FAIL_RELOAD",
        vm_config: {
          vm_id: "sluice",
          runtime: "envoy.wasm.runtime.v8",
          code: { local: { filename: "/etc/sluice/sluice-1.wasm" } },
          environment_variables: { host_env_keys: ["SLUICE_SECRET", "SLUICE_SECRET_ALSO"] },
        },
        configuration: {
          "@type": "type.googleapis.com/google.protobuf.StringValue",
          value: JSON.stringify({ version: 1, generation: 1, revision: response.nonce }),
        },
      },
    });
    expect(response.version_info).toMatch(/^1\.[0-9a-f]{12}\.[0-9a-f]{16}$/);
  });

  it("and accepts it is known to run it, and is sent the next policy", async () => {
    const { stream } = await running(await serve());
    expect(rollout.edge("gw-1")).toMatchObject({ running: 1, streams: 1, refusal: null });
    policies.publish();
    expect(generationIn(await stream.next())).toBe(2);
    expect(rollout.edge("gw-1")).toMatchObject({ running: 1, state: "waiting", sent: { generation: 2 } });
  });

  it("and for other things too gets no answer to those, and keeps its stream", async () => {
    const stream = envoy(await serve());
    stream.send({ type_url: CLUSTER_TYPE });
    stream.send({
      type_url: "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
      resource_names: ["other"],
    });
    stream.subscribe();
    expect(generationIn(await stream.next())).toBe(1);
    expect(stream.untaken).toBe(0);
    expect(counted.filter((event) => event === "pushed")).toHaveLength(1);
  });

  it("gets it again where it gave it up and asks once more", async () => {
    const { stream, response } = await running(await serve());
    const last = { type_url: response.type_url, version_info: response.version_info, response_nonce: response.nonce };
    stream.send({ ...last, resource_names: [] });
    stream.send({ ...last, resource_names: ["sluice"] });
    const again = await stream.next();
    expect(generationIn(again)).toBe(1);
    expect(again.version_info).not.toBe(response.version_info);
  });

  it("but answers slowly is sent the newest policy only, once it has answered", async () => {
    const stream = envoy(await serve());
    stream.subscribe();
    const first = await stream.next();
    for (let i = 0; i < 5; i++) policies.publish();
    const other = await running(servers[0] as XdsServer, "gw-2");
    expect(generationIn(other.response)).toBe(6);
    expect(stream.untaken).toBe(0);
    stream.answer(first);
    expect(generationIn(await stream.next())).toBe(6);
  });
});

describe("an Envoy that refuses a policy", () => {
  async function refusing() {
    const { stream, response: good } = await running(await serve());
    policies.publish();
    const bad = await stream.next();
    stream.answer(bad, { version: good.version_info, message: "Unable to create Wasm plugin sluice" });
    await until(() => {
      expect(rollout.edge("gw-1")?.state).toBe("refused");
    });
    return { stream, good, bad };
  }

  it("is known to run the old one, with the reason it gave", async () => {
    const { bad } = await refusing();
    expect(rollout.edge("gw-1")).toMatchObject({
      running: 1,
      refusal: { generation: 2, version: bad.version_info, reason: "Unable to create Wasm plugin sluice" },
    });
    expect(counted).toContain("refused");
  });

  it("is sent nothing until there is a new policy, and that is believed when accepted", async () => {
    const { stream } = await refusing();
    policies.publish();
    const next = await stream.next();
    expect(generationIn(next)).toBe(3);
    stream.answer(next);
    await until(() => {
      expect(rollout.edge("gw-1")).toMatchObject({ running: 3, state: "running", refusal: null });
    });
  });

  it("is not believed when it later accepts the same response", async () => {
    const { stream, bad } = await refusing();
    stream.answer(bad);
    policies.publish();
    await stream.next();
    expect(rollout.edge("gw-1")).toMatchObject({ running: 1, refusal: { generation: 2 } });
  });

  it("is sent it with other bytes after a reconnect", async () => {
    const { stream, good, bad } = await refusing();
    stream.close();
    const again = envoy(servers[0] as XdsServer);
    again.subscribe(good.version_info);
    const retry = await again.next();
    expect(generationIn(retry)).toBe(2);
    expect(retry.version_info).not.toBe(bad.version_info);
    expect(retry.resources[0]?.value).not.toEqual(bad.resources[0]?.value);
    expect(rollout.edge("gw-1")).toMatchObject({ running: 1, refusal: { generation: 2 } });
  });

  it("is not believed to run it when it says so after a reconnect", async () => {
    const { stream, bad } = await refusing();
    stream.close();
    const again = envoy(servers[0] as XdsServer);
    again.subscribe(bad.version_info);
    expect(generationIn(await again.next())).toBe(2);
    expect(rollout.edge("gw-1")?.running).toBe(1);
  });
});

describe("an Envoy that reconnects", () => {
  it("is not sent again what it runs, and is sent the next policy", async () => {
    const server = await serve();
    const { stream, response } = await running(server);
    stream.close();
    const again = envoy(server);
    again.subscribe(response.version_info);
    await until(() => {
      expect(rollout.edge("gw-1")?.streams).toBe(1);
    });
    policies.publish();
    expect(generationIn(await again.next())).toBe(2);
  });

  it("to a restarted control plane is not sent again what it runs", async () => {
    const first = await serve();
    const { response } = await running(first);
    await first.close();
    rollout = new Rollout({ nowMs: () => 0, monotonicMs: () => 0 });
    const again = envoy(await serve());
    again.subscribe(response.version_info);
    await until(() => {
      expect(rollout.edge("gw-1")).toMatchObject({ running: 1, state: "running", sent: null });
    });
  });

  it("is sent the same policy where the filter's path changed meanwhile", async () => {
    const first = await serve();
    const { response } = await running(first);
    await first.close();
    const again = envoy(await serve({ filterPath: "/etc/sluice/sluice-2.wasm" }));
    again.subscribe(response.version_info);
    expect(JSON.stringify(extensionConfig(await again.next()))).toContain("sluice-2.wasm");
  });

  it("before it has answered is sent other bytes: it may have refused the first", async () => {
    const server = await serve();
    const stream = envoy(server);
    stream.subscribe();
    const unanswered = await stream.next();
    stream.close();
    const again = envoy(server);
    again.subscribe();
    expect((await again.next()).resources[0]?.value).not.toEqual(unanswered.resources[0]?.value);
  });

  it("with a version of another server's making is sent the policy", async () => {
    const stream = envoy(await serve());
    stream.subscribe("v1");
    expect(generationIn(await stream.next())).toBe(1);
  });

  it("and goes for good is known to be gone", async () => {
    const { stream } = await running(await serve());
    stream.close();
    await until(() => {
      expect(rollout.edge("gw-1")).toMatchObject({ streams: 0, running: 1 });
    });
    expect(counted.at(-1)).toBe("closed");
  });
});

describe("a stream is refused", () => {
  it.each([
    ["without a credential", null],
    ["with a wrong credential", "Bearer third-credential"],
    ["with a credential that only begins well", "Bearer first"],
    ["with a credential under another scheme", "Basic first-credential"],
  ])("%s", async (_, authorization) => {
    const stream = envoy(await serve(), authorization);
    expect((await stream.ended).code).toBe(status.UNAUTHENTICATED);
    expect(counted).toEqual(["unauthenticated"]);
    expect(rollout.edges()).toEqual([]);
  });

  it("but not with the other credential of a rotation", async () => {
    const stream = envoy(await serve(), "Bearer second-credential");
    stream.subscribe();
    expect(generationIn(await stream.next())).toBe(1);
  });

  it.each(["DeltaAggregatedResources", "DeltaExtensionConfigs"] as const)(
    "for %s, with what to set",
    async (method) => {
      const end = await envoy(await serve(), CREDENTIAL, "gw-1", method).ended;
      expect(end.code).toBe(status.UNIMPLEMENTED);
      expect(end.details).toContain("api_type GRPC");
    },
  );

  it.each([
    ["empty", "", "node.id is empty"],
    ["too long", "g".repeat(257), "longer than 256 bytes"],
  ])("where node.id is %s", async (_, node, details) => {
    const stream = envoy(await serve(), CREDENTIAL, node);
    stream.subscribe();
    const end = await stream.ended;
    expect(end.code).toBe(status.INVALID_ARGUMENT);
    expect(end.details).toContain(details);
    expect(rollout.edges()).toEqual([]);
  });

  it("where as many are open as may be, until one goes", async () => {
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
    const server = await serve();
    const { stream } = await running(server);
    await server.close();
    expect((await stream.ended).code).toBe(status.UNAVAILABLE);
    expect(rollout.edge("gw-1")?.streams).toBe(0);
    const next = await serve({ port: server.port });
    expect(next.port).toBe(server.port);
  });

  it("does not start on a port that is taken", async () => {
    const server = await serve();
    await expect(serve({ port: server.port })).rejects.toThrow("EADDRINUSE");
  });
});
