// The xDS server on a free port, over policies and a rollout that a test looks into, and Envoys that connect to it.
import { randomBytes } from "node:crypto";
import { expect, onTestFinished, vi } from "vitest";

import { Rollout } from "../../src/app/rollout.js";
import type { XdsEvent } from "../../src/xds/edge-streams.js";
import { startXdsServer } from "../../src/xds/server.js";
import type { XdsServer, XdsServerOptions } from "../../src/xds/server.js";
import { noLog } from "./no-log.js";
import { TestPolicies } from "./test-policies.js";
import { EnvoyStream, extensionConfig } from "./xds-client.js";
import type { StreamMethod } from "./xds-client.js";

export const CREDENTIAL = "Bearer first-credential";

export const until = (condition: () => void): Promise<void> => vi.waitFor(condition, { timeout: 10_000 });

/** Nothing is served yet. Servers and Envoys end with the test. */
export function servingXds() {
  const policies = new TestPolicies({ version: 1 });
  const rollout = new Rollout({ nowMs: () => 1_700_000_000_000, monotonicMs: () => 0 });
  const counted: XdsEvent[] = [];
  const servers: XdsServer[] = [];
  const streams: EnvoyStream[] = [];
  onTestFinished(async () => {
    for (const stream of streams) stream.close();
    await Promise.all(servers.map((server) => server.close()));
  });

  async function serve(changes: Partial<XdsServerOptions> = {}): Promise<XdsServer> {
    const server = await startXdsServer({
      host: "127.0.0.1",
      port: 0,
      tls: null,
      policies,
      rollout,
      edgeCredentials: ["first-credential", "second-credential"],
      filterPath: "/etc/sluice/sluice-1.wasm",
      logger: noLog,
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

  return { policies, rollout, counted, serve, envoy, running };
}

export const generationIn = (response: Parameters<typeof extensionConfig>[0]): unknown => {
  const { value } = extensionConfig(response) as { value: { config: { configuration: { value: string } } } };
  return (JSON.parse(value.config.configuration.value) as { generation: unknown }).generation;
};
