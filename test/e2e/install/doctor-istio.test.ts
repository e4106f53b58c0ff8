// What `sluice doctor` finds in a gateway of Istio, whose names for the filter are Istio's own: a real Envoy, and what Istio
// makes of the WasmPlugin of the example from a management server.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { until } from "../../../control-plane/test/support/until.js";
import { envoyPlan } from "../../../scripts/start/envoy-process.js";
import { versionedFilter } from "../../../scripts/filter-file.js";
import { findEnvoy } from "../../../scripts/get-envoy.js";
import { freePorts } from "../../../scripts/start/ports.js";
import { projectRoot } from "../../../scripts/project-root.js";
import { sluiceRun } from "../harness/cli.js";
import { EnvoyAdmin } from "../harness/envoy-admin.js";
import { type Installation, useInstallation } from "../harness/installation.js";
import { Part } from "../harness/part.js";
import { policyOf } from "../harness/policy.js";
import {
  CONTROL_PLANE,
  extensionNameOf,
  extensionOf,
  GATEWAY,
  gatewayBootstrap,
  gatewayClusters,
  gatewayListener,
  type WasmPlugin,
} from "../harness/xds/istio.js";
import { XdsServer } from "../harness/xds/server.js";

const plugin = parse(readFileSync(join(projectRoot, "envoy/istio/wasmplugin.yaml"), "utf8")) as WasmPlugin;
const policy = policyOf([{ name: "default", maxTokens: 100, tokenRefillRate: 0 }]);

interface Found {
  readonly code: string;
  readonly what: string;
}

/** Started, and given all but the filter. */
async function gateway({
  folder,
  ports,
  secret,
}: Installation): Promise<{ mesh: XdsServer; admin: EnvoyAdmin; url: string }> {
  const [xds = 0, admin = 0, proxy = 0] = await freePorts(3);
  const mesh = await XdsServer.listen(xds);
  onTestFinished(() => {
    mesh.close();
  });
  mesh.offer("cluster", gatewayClusters(ports.upstream, { [CONTROL_PLANE]: ports.http }));
  mesh.offer("listener", [gatewayListener(plugin, proxy)]);
  mesh.offer("extension", []);
  const configFile = join(folder, "bootstrap.json");
  writeFileSync(configFile, gatewayBootstrap(GATEWAY, { admin, xds }));
  const plan = envoyPlan({ binary: await findEnvoy(), configFile, logFile: join(folder, "envoy.log"), secret });
  const ofGateway = new EnvoyAdmin(admin);
  const envoy = new Part(plan, () => until(() => ofGateway.text("/server_info")).then(() => undefined));
  onTestFinished(async () => {
    await envoy.stop();
  });
  await envoy.start();
  return { mesh, admin: ofGateway, url: `http://127.0.0.1:${admin}` };
}

const sluice = useInstallation({ policy, startEdges: false });

it("doctor knows the filter of a gateway of Istio, before the mesh sends it and after", async () => {
  const { mesh, admin, url } = await gateway(sluice());
  const doctor = async (): Promise<Found[]> => {
    const { stdout } = await sluiceRun(sluice(), "doctor", "--json", "--envoy", url);
    return stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Found]));
  };
  await until(async () => {
    const waiting = (await doctor()).find(({ code }) => code === "FILTER_NOT_RECEIVED");
    expect(waiting?.what).toContain(extensionNameOf(plugin));
  });
  mesh.offer("extension", [
    extensionOf(plugin, versionedFilter(join(projectRoot, "build/sluice.wasm"), sluice().folder)),
  ]);
  await until(async () => {
    expect(await doctor()).toEqual([]);
  });
  // By which traps are found.
  expect((await admin.stats()).has("wasm.istio-system.sluice~istio-translated-wasmplugin.vm_reload_success")).toBe(
    true,
  );
});
