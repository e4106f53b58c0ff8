// The xDS server and a real Envoy: what it accepts, refuses, keeps and shows.
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { PolicyPublisher, PublishedPolicy } from "../../control-plane/src/app/policy-ports.js";
import { Rollout } from "../../control-plane/src/app/rollout.js";
import type { XdsEvent } from "../../control-plane/src/xds/edge-streams.js";
import { startXdsServer, type XdsServer } from "../../control-plane/src/xds/server.js";
import { findEnvoy } from "../../scripts/get-envoy.js";
import { freePorts } from "../../scripts/ports.js";
import { projectRoot } from "../../scripts/project-root.js";
import { startProcess, type SupervisedProcess } from "../../scripts/supervised-process.js";
import { compileFilter } from "../host/compile-filter.js";

const CREDENTIAL = "credential-of-this-test";
const EDGE = "gw-1";
const filterPath = join(projectRoot, "build/test-filters/judges-policy.wasm");

/** Policies that the test's filter answers requests with, or refuses. */
class Policies implements PolicyPublisher {
  private readonly listeners = new Set<() => void>();
  private generation = 1;
  private refuse = false;

  published(): PublishedPolicy {
    const { generation, refuse } = this;
    return { generation, pushedJson: (revision) => JSON.stringify({ generation, revision, refuse }) };
  }
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  publish(kind: "good" | "bad"): void {
    this.generation++;
    this.refuse = kind === "bad";
    for (const listener of this.listeners) listener();
  }
}

interface Ports {
  proxy: number;
  admin: number;
  xds: number;
}

let binary: string;
let ports: Ports;
let policies: Policies;
let rollout: Rollout;
let counted: XdsEvent[];
let server: XdsServer | undefined;
let envoy: SupervisedProcess | undefined;
let folder: string;

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const until = (condition: () => void | Promise<void>) => vi.waitFor(condition, { timeout: 30_000, interval: 50 });

/** A control plane that has just started: it remembers no edge. */
async function startServer(): Promise<void> {
  rollout = new Rollout({ nowMs: () => Date.now(), monotonicMs: () => performance.now() });
  server = await startXdsServer({
    host: "127.0.0.1",
    port: ports.xds,
    tls: null,
    policies,
    rollout,
    edgeCredentials: [CREDENTIAL],
    filterPath,
    logger: quiet,
    random: { bytes: (n) => randomBytes(n) },
    counters: { count: (event) => counted.push(event) },
  });
}

async function restartServer(): Promise<void> {
  await server?.close();
  await startServer();
}

async function startEnvoy(credential = CREDENTIAL, configuration = bootstrap(ports)): Promise<void> {
  const configFile = join(folder, "envoy.yaml");
  writeFileSync(configFile, configuration);
  envoy = await startProcess({
    name: "Envoy",
    command: binary,
    args: ["-c", configFile, "--concurrency", "2", "--disable-hot-restart", "-l", "warning"],
    env: { PATH: process.env.PATH, SLUICE_EDGE_AUTHORIZATION: `Bearer ${credential}` },
    logFile: join(folder, "envoy.log"),
  });
}

const stateIs = (state: string, generation: number): Promise<void> =>
  until(() => {
    const { refusal, running, state: now } = rollout.edge(EDGE) ?? {};
    expect({ state: now, generation: state === "refused" ? refusal?.generation : running }).toEqual({
      state,
      generation,
    });
  });

/** The generation that answers each of 20 requests over as many connections, so that both workers are asked. */
async function served(): Promise<number[]> {
  const answers = Array.from({ length: 20 }, async () => {
    const response = await fetch(`http://127.0.0.1:${ports.proxy}/`, { headers: { connection: "close" } });
    return ((await response.json()) as { generation: number }).generation;
  });
  return [...new Set(await Promise.all(answers))];
}
const serves = (generation: number): Promise<void> =>
  until(async () => {
    expect(await served()).toEqual([generation]);
  });

beforeAll(async () => {
  binary = await findEnvoy();
  mkdirSync(join(projectRoot, "build/test-filters"), { recursive: true });
  writeFileSync(filterPath, await compileFilter("judges-policy"));
});

beforeEach(async () => {
  const [proxy = 0, admin = 0, xds = 0] = await freePorts(3);
  ports = { proxy, admin, xds };
  policies = new Policies();
  counted = [];
  folder = mkdtempSync(join(tmpdir(), "sluice-xds-"));
  await startServer();
});

afterEach(async () => {
  await envoy?.stop();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

afterAll(() => {
  rmSync(filterPath);
});

describe("a real Envoy", () => {
  it("accepts the filter, refuses a bad policy and keeps the old one, and takes the next good one", async () => {
    await startEnvoy();
    await stateIs("running", 1);
    await serves(1);

    policies.publish("bad");
    await stateIs("refused", 2);
    expect(rollout.edge(EDGE)?.refusal?.reason).toContain("Unable to create Wasm plugin sluice");
    expect(rollout.edge(EDGE)?.running).toBe(1);
    expect(await served()).toEqual([1]);

    policies.publish("good");
    await stateIs("running", 3);
    await serves(3);
  });

  it("keeps its policy while the control plane is away, and is not sent it again after", async () => {
    await startEnvoy();
    await stateIs("running", 1);
    await serves(1);
    await server?.close();
    expect(await served()).toEqual([1]);
    await startServer();
    await stateIs("running", 1);
    expect(rollout.edge(EDGE)?.sent).toBeNull();
    policies.publish("good");
    await serves(2);
  });

  it("whose aggregated discovery is another's takes the filter's policy alone from here", async () => {
    const source =
      "api_config_source: { api_type: GRPC, transport_api_version: V3, grpc_services: [{ envoy_grpc: { cluster_name: sluice_xds } }] }";
    const configuration = bootstrap(ports)
      .replace(/^dynamic_resources:\n(?: .*\n)+/m, "")
      .replace("ads: {}", source);
    expect(configuration).not.toMatch(/ads/);
    await startEnvoy(CREDENTIAL, configuration);
    await stateIs("running", 1);
    policies.publish("good");
    await serves(2);
  });

  it("refuses a bad policy again after a reconnect, because it comes with other bytes", async () => {
    await startEnvoy();
    await stateIs("running", 1);
    await serves(1);
    policies.publish("bad");
    await stateIs("refused", 2);
    await restartServer();
    await stateIs("refused", 2);
    expect(rollout.edge(EDGE)?.running).toBe(1);
    expect(await served()).toEqual([1]);
  });

  it("with a wrong credential is sent nothing and serves its default policy", async () => {
    await startEnvoy("another");
    await until(() => {
      expect(counted).toContain("unauthenticated");
    });
    await serves(0);
    expect(rollout.edges()).toEqual([]);
  });

  it("shows the credential nowhere in its configuration dump", async () => {
    await startEnvoy();
    await stateIs("running", 1);
    const dump = await (await fetch(`http://127.0.0.1:${ports.admin}/config_dump?include_eds`)).text();
    expect(dump).toContain("credential_injector");
    expect(dump).toContain("judges-policy.wasm");
    expect(dump).not.toContain(CREDENTIAL);
    expect(dump).not.toContain(Buffer.from(CREDENTIAL).toString("base64").slice(0, 24));
  });
});

const address = (port: number): string => `{ socket_address: { address: 127.0.0.1, port_value: ${port} } }`;

/** The least with which an Envoy follows the xDS server; without the default policy's generation 0 it would wait. */
const bootstrap = ({ proxy, admin, xds }: Ports): string => `
node: { id: ${EDGE}, cluster: sluice }
admin: { address: ${address(admin)} }
dynamic_resources:
  ads_config:
    api_type: GRPC
    transport_api_version: V3
    grpc_services:
      - envoy_grpc:
          cluster_name: sluice_xds
          retry_policy: { retry_back_off: { base_interval: 0.2s, max_interval: 1s } }
static_resources:
  listeners:
    - address: ${address(proxy)}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: ingress
                route_config:
                  virtual_hosts:
                    - { name: all, domains: ["*"], routes: [{ match: { prefix: "/" }, direct_response: { status: 500 } }] }
                http_filters:
                  - name: sluice
                    config_discovery:
                      config_source: { ads: {}, resource_api_version: V3, initial_fetch_timeout: 1s }
                      type_urls: [type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm]
                      apply_default_config_without_warming: true
                      default_config:
                        "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
                        config:
                          name: sluice
                          root_id: sluice
                          failure_policy: FAIL_RELOAD
                          vm_config:
                            vm_id: sluice
                            runtime: envoy.wasm.runtime.v8
                            code: { local: { filename: ${filterPath} } }
                            environment_variables: { host_env_keys: [SLUICE_SECRET, SLUICE_SECRET_ALSO] }
                          configuration:
                            "@type": type.googleapis.com/google.protobuf.StringValue
                            value: '{"generation":0}'
                  - name: envoy.filters.http.router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
    - name: sluice_xds
      type: STATIC
      load_assignment:
        cluster_name: sluice_xds
        endpoints: [{ lb_endpoints: [{ endpoint: { address: ${address(xds)} } }] }]
      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          explicit_http_config: { http2_protocol_options: {} }
          http_filters:
            - name: envoy.filters.http.credential_injector
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.http.credential_injector.v3.CredentialInjector
                overwrite: true
                credential:
                  name: envoy.http.injected_credentials.generic
                  typed_config:
                    "@type": type.googleapis.com/envoy.extensions.http.injected_credentials.generic.v3.Generic
                    credential: { name: edge_authorization }
            - name: envoy.filters.http.upstream_codec
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec
  secrets:
    - name: edge_authorization
      generic_secret: { secret: { environment_variable: SLUICE_EDGE_AUTHORIZATION } }
`;
