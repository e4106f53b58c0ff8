// What an operator copies for Istio: its patches, put together as istiod would, must make a configuration that Envoy
// takes. There is no Istio here; that it selects the right workload is not tested.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { findEnvoy } from "../../scripts/get-envoy.js";
import { projectRoot } from "../../scripts/project-root.js";

interface Patch {
  applyTo: string;
  patch: { value: Record<string, unknown> };
}

const folder = mkdtempSync(join(tmpdir(), "sluice-istio-"));
const run = promisify(execFile);
const HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

function valuesOf(applyTo: string): Record<string, unknown>[] {
  const text = readFileSync(join(projectRoot, "envoy/istio.yaml"), "utf8");
  const filter = parse(text) as { spec: { configPatches: Patch[] } };
  return filter.spec.configPatches.filter((one) => one.applyTo === applyTo).map((one) => one.patch.value);
}

/** A gateway's bootstrap with the patches in their places. */
function gateway(): Record<string, unknown> {
  const [bootstrap] = valuesOf("BOOTSTRAP") as [{ static_resources: object; stats_config: object }];
  const [connectionManager] = valuesOf("NETWORK_FILTER") as [{ typed_config: object }];
  const router = { name: "envoy.filters.http.router", typed_config: { "@type": ROUTER } };
  const routes = [{ match: { prefix: "/" }, direct_response: { status: 200 } }];
  const manager = {
    ...connectionManager.typed_config,
    "@type": HCM,
    stat_prefix: "gateway",
    http_filters: [...valuesOf("HTTP_FILTER"), router],
    route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes }] },
  };
  const filters = [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }];
  const address = { socket_address: { address: "127.0.0.1", port_value: 0 } };
  return {
    node: { id: "gateway", cluster: "gateway" },
    stats_config: bootstrap.stats_config,
    static_resources: {
      ...bootstrap.static_resources,
      clusters: valuesOf("CLUSTER"),
      listeners: [{ address, filter_chains: [{ filters }] }],
    },
  };
}

async function validated(filterFile: string): Promise<string> {
  const file = join(folder, "gateway.yaml");
  writeFileSync(file, stringify(gateway()).replaceAll("/etc/sluice/sluice-0.1.0.wasm", filterFile));
  const env = {
    SLUICE_SECRET: "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    SLUICE_EDGE_AUTHORIZATION: "Bearer of-this-test",
  };
  const { stdout, stderr } = await run(await findEnvoy(), ["--mode", "validate", "-c", file], { env }).catch(
    (error: unknown) => error as { stdout: string; stderr: string },
  );
  return stdout + stderr;
}

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("the example for Istio", () => {
  it("makes a configuration that Envoy takes, the filter and its default policy included", async () => {
    expect(await validated(join(projectRoot, "build/sluice.wasm"))).toContain("OK");
  });

  it("is really looked at: without the filter's file it is refused", async () => {
    expect(await validated(join(folder, "missing.wasm"))).not.toContain("OK");
  });
});
