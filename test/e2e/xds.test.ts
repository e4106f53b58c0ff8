// The xDS server and a real Envoy: what it accepts, refuses, keeps and shows.
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Rollout } from "../../control-plane/src/app/rollout.js";
import type { XdsEvent } from "../../control-plane/src/xds/edge-streams.js";
import { startXdsServer, type XdsServer } from "../../control-plane/src/xds/server.js";
import { noLog } from "../../control-plane/test/support/no-log.js";
import { TestPolicies } from "../../control-plane/test/support/test-policies.js";
import { findEnvoy } from "../../scripts/get-envoy.js";
import { freePorts } from "../../scripts/ports.js";
import { projectRoot } from "../../scripts/project-root.js";
import { startProcess, type SupervisedProcess } from "../../scripts/supervised-process.js";
import { compileFilter } from "../host/compile-filter.js";
import { EDGE, xdsBootstrap, type XdsEdgePorts } from "./harness/xds-bootstrap.js";

const CREDENTIAL = "credential-of-this-test";
const filterPath = join(projectRoot, "build/test-filters/judges-policy.wasm");

/** What the test's filter does with a policy. */
const KINDS = { good: { refuse: false }, bad: { refuse: true } };

let binary: string;
let ports: XdsEdgePorts;
let policies: TestPolicies;
let rollout: Rollout;
let counted: XdsEvent[];
let server: XdsServer | undefined;
let envoy: SupervisedProcess | undefined;
let folder: string;

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
    logger: noLog,
    random: { bytes: (n) => randomBytes(n) },
    counters: { count: (event) => counted.push(event) },
  });
}

async function restartServer(): Promise<void> {
  await server?.close();
  await startServer();
}

async function startEnvoy(credential = CREDENTIAL, configuration = xdsBootstrap(ports, filterPath)): Promise<void> {
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
  policies = new TestPolicies(KINDS.good);
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

    policies.publish(KINDS.bad);
    await stateIs("refused", 2);
    expect(rollout.edge(EDGE)?.refusal?.reason).toContain("Unable to create Wasm plugin sluice");
    expect(rollout.edge(EDGE)?.running).toBe(1);
    expect(await served()).toEqual([1]);

    policies.publish(KINDS.good);
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
    policies.publish(KINDS.good);
    await serves(2);
  });

  it("whose aggregated discovery is another's takes the filter's policy alone from here", async () => {
    const source =
      "api_config_source: { api_type: GRPC, transport_api_version: V3, grpc_services: [{ envoy_grpc: { cluster_name: sluice_xds } }] }";
    const configuration = xdsBootstrap(ports, filterPath)
      .replace(/^dynamic_resources:\n(?: .*\n)+/m, "")
      .replace("ads: {}", source);
    expect(configuration).not.toMatch(/ads/);
    await startEnvoy(CREDENTIAL, configuration);
    await stateIs("running", 1);
    policies.publish(KINDS.good);
    await serves(2);
  });

  it("refuses a bad policy again after a reconnect, because it comes with other bytes", async () => {
    await startEnvoy();
    await stateIs("running", 1);
    await serves(1);
    policies.publish(KINDS.bad);
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
