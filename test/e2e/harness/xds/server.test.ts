// The test's own management server, with a real Envoy and a filter that answers with its configuration: what it offers is
// what Envoy runs.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { until } from "../../../../control-plane/test/support/until.js";
import { findEnvoy } from "../../../../scripts/get-envoy.js";
import { freePorts } from "../../../../scripts/start/ports.js";
import { projectRoot } from "../../../../scripts/project-root.js";
import { startProcess, type SupervisedProcess } from "../../../../scripts/start/supervised-process.js";
import { compileFilter } from "../../../host/harness/builds/compile-filter.js";
import { EnvoyAdmin } from "../envoy-admin.js";
import {
  extensionNameOf,
  extensionOf,
  gatewayBootstrap,
  gatewayClusters,
  gatewayListener,
  type WasmPlugin,
} from "./istio.js";
import { XdsServer } from "./server.js";

const filterPath = join(projectRoot, "build/test-filters/validates-policy.wasm");
const pluginWith = (pluginConfig: WasmPlugin["spec"]["pluginConfig"]): WasmPlugin => ({
  metadata: { name: "sluice", namespace: "istio-system" },
  spec: { pluginName: "sluice", failStrategy: "FAIL_RELOAD", vmConfig: { env: [] }, pluginConfig },
});
const PLUGIN = pluginWith({ version: 1, table: { name: "default", capacity: 65536 }, follow: true });

let folder: string;
let ports: { proxy: number; admin: number; xds: number; upstream: number };
let server: XdsServer;
let envoy: SupervisedProcess;

beforeEach(async () => {
  mkdirSync(join(projectRoot, "build/test-filters"), { recursive: true });
  writeFileSync(filterPath, await compileFilter("validates-policy"));
  folder = mkdtempSync(join(tmpdir(), "sluice-mesh-"));
  const [proxy = 0, admin = 0, xds = 0, upstream = 0] = await freePorts(4);
  ports = { proxy, admin, xds, upstream };
  server = await XdsServer.listen(xds);
  server.offer("cluster", gatewayClusters(upstream, { "outbound|8080||sluice.sluice.svc.cluster.local": 1 }));
  server.offer("listener", [gatewayListener(PLUGIN, proxy)]);
  server.offer("extension", [extensionOf(PLUGIN, filterPath)]);
  const configFile = join(folder, "bootstrap.json");
  writeFileSync(configFile, gatewayBootstrap("gw-1", ports));
  envoy = await startProcess({
    name: "Envoy",
    command: await findEnvoy(),
    args: ["-c", configFile, "--concurrency", "1", "--disable-hot-restart", "-l", "warning"],
    env: { PATH: process.env.PATH },
    logFile: join(folder, "envoy.log"),
  });
});

afterEach(async () => {
  await envoy.stop();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const served = async (): Promise<string> => (await fetch(`http://127.0.0.1:${ports.proxy}/`)).text();

it("a bare Envoy gets its listener, its clusters and the filter from the xDS server", async () => {
  await until(async () => {
    expect(await served()).toBe('{"follow":true,"table":{"capacity":65536,"name":"default"},"version":1}');
  });
  expect(server.rejections).toEqual([]);
  const admin = new EnvoyAdmin(ports.admin);
  expect(await admin.text("/clusters")).toContain("outbound|8080||sluice.sluice.svc.cluster.local::");
  const dump = await admin.text("/config_dump?resource=ecds_filters");
  expect(dump).toContain(`"name": "${extensionNameOf(PLUGIN)}"`);
  expect(dump).toContain('"name": "istio-system.sluice~istio-translated-wasmplugin"');
  expect(dump).not.toContain("vm_id");
});

it("the xDS server sends later offers and says what Envoy rejected", async () => {
  await until(async () => {
    expect(await served()).toContain("65536");
  });
  server.offer("extension", [extensionOf(pluginWith({ version: 2 }), filterPath)]);
  await until(async () => {
    expect(await served()).toBe('{"version":2}');
  });
  await until(() => {
    expect(server.isAcknowledged("extension")).toBe(true);
  });
  server.offer("extension", [extensionOf(pluginWith({ reject: true }), filterPath)]);
  await until(() => {
    expect(server.rejections[0]?.message).toContain("Unable to create Wasm plugin");
  });
  expect(server.isAcknowledged("extension")).toBe(false);
  expect(await served()).toBe('{"version":2}');
});
