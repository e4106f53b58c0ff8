// What an Envoy sees of the xDS server, over a real gRPC connection.
import { describe, expect, it } from "vitest";

import { noLog } from "./support/no-log.js";
import { CLUSTER_TYPE, extensionConfig } from "./support/xds-client.js";
import { generationIn, servingXds, until } from "./support/xds-server.js";

describe("an Envoy that asks for the filter", () => {
  it("gets the Wasm filter with the policy, its number and a revision inside", async () => {
    const { serve, envoy } = servingXds();
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
    const { policies, rollout, serve, running } = servingXds();
    const { stream } = await running(await serve());
    expect(rollout.edge("gw-1")).toMatchObject({ running: 1, streams: 1, refusal: null });
    policies.publish();
    expect(generationIn(await stream.next())).toBe(2);
    expect(rollout.edge("gw-1")).toMatchObject({ running: 1, state: "waiting", sent: { generation: 2 } });
  });

  it("and for other things too gets no answer to those, and keeps its stream", async () => {
    const { counted, serve, envoy } = servingXds();
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
    const { serve, running } = servingXds();
    const { stream, response } = await running(await serve());
    const last = { type_url: response.type_url, version_info: response.version_info, response_nonce: response.nonce };
    stream.send({ ...last, resource_names: [] });
    stream.send({ ...last, resource_names: ["sluice"] });
    const again = await stream.next();
    expect(generationIn(again)).toBe(1);
    expect(again.version_info).not.toBe(response.version_info);
  });

  it("but answers slowly is sent the newest policy only, once it has answered", async () => {
    const { policies, serve, envoy, running } = servingXds();
    const server = await serve();
    const stream = envoy(server);
    stream.subscribe();
    const first = await stream.next();
    for (let i = 0; i < 5; i++) policies.publish();
    const other = await running(server, "gw-2");
    expect(generationIn(other.response)).toBe(6);
    expect(stream.untaken).toBe(0);
    stream.answer(first);
    expect(generationIn(await stream.next())).toBe(6);
  });
});

describe("an Envoy that refuses a policy", () => {
  async function refusing() {
    const xds = servingXds();
    const { policies, rollout } = xds;
    const server = await xds.serve();
    const { stream, response: good } = await xds.running(server);
    policies.publish();
    const bad = await stream.next();
    stream.answer(bad, { version: good.version_info, message: "Unable to create Wasm plugin sluice" });
    await until(() => {
      expect(rollout.edge("gw-1")?.state).toBe("refused");
    });
    return { ...xds, server, stream, good, bad };
  }

  it("is known to run the old one, with the reason it gave", async () => {
    const { rollout, counted, bad } = await refusing();
    expect(rollout.edge("gw-1")).toMatchObject({
      running: 1,
      refusal: { generation: 2, version: bad.version_info, reason: "Unable to create Wasm plugin sluice" },
    });
    expect(counted).toContain("refused");
  });

  it("is logged with no more of its words than are kept", async () => {
    const refusals: object[] = [];
    const warn = (fields: object): void => void refusals.push(fields);
    const { rollout, serve, envoy } = servingXds();
    const stream = envoy(await serve({ logger: { ...noLog, warn } }));
    stream.subscribe();
    stream.answer(await stream.next(), { version: "", message: "x".repeat(1_000_000) });
    await until(() => {
      expect(rollout.edge("gw-1")?.state).toBe("refused");
    });
    expect(refusals).toMatchObject([{ type: "policy-refused-by-edge", reason: "x".repeat(1000) }]);
  });

  it("is sent nothing until there is a new policy, and that is believed when accepted", async () => {
    const { policies, rollout, stream } = await refusing();
    policies.publish();
    const next = await stream.next();
    expect(generationIn(next)).toBe(3);
    stream.answer(next);
    await until(() => {
      expect(rollout.edge("gw-1")).toMatchObject({ running: 3, state: "running", refusal: null });
    });
  });

  it("is not believed when it later accepts the same response", async () => {
    const { policies, rollout, stream, bad } = await refusing();
    stream.answer(bad);
    policies.publish();
    await stream.next();
    expect(rollout.edge("gw-1")).toMatchObject({ running: 1, refusal: { generation: 2 } });
  });

  it("is sent it with other bytes after a reconnect", async () => {
    const { rollout, envoy, server, stream, good, bad } = await refusing();
    stream.close();
    const again = envoy(server);
    again.subscribe(good.version_info);
    const retry = await again.next();
    expect(generationIn(retry)).toBe(2);
    expect(retry.version_info).not.toBe(bad.version_info);
    expect(retry.resources[0]?.value).not.toEqual(bad.resources[0]?.value);
    expect(rollout.edge("gw-1")).toMatchObject({ running: 1, refusal: { generation: 2 } });
  });

  it("is not believed to run it when it says so after a reconnect", async () => {
    const { rollout, envoy, server, stream, bad } = await refusing();
    stream.close();
    const again = envoy(server);
    again.subscribe(bad.version_info);
    expect(generationIn(await again.next())).toBe(2);
    expect(rollout.edge("gw-1")?.running).toBe(1);
  });
});
