// The bootstrap that operators copy, and what rendering does to it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { projectRoot } from "../../scripts/project-root.js";
import { edgeSettings } from "../../control-plane/src/render/edge-settings.js";
import type { EnvoyOptions } from "../../control-plane/src/render/envoy-bootstrap.js";
import { renderEnvoy } from "../../scripts/render-envoy.js";

const template = readFileSync(join(projectRoot, "envoy.yaml"), "utf8");
const settings = edgeSettings({ cluster: "another-cluster", tableName: "it's", tableCapacity: 1024 });
const everything: EnvoyOptions = {
  proxyPort: 1,
  adminPort: 2,
  bind: "0.0.0.0",
  upstream: { host: "service", port: 3 },
  controlPlane: { host: "plane", port: 4 },
  nodeId: "gw-1",
  filterPath: "/filter/sluice-0123.wasm",
  settings,
};

describe("envoy.yaml as it is committed", () => {
  it("envoy.yaml is short enough to be read, and asks nothing but the filter's calls", () => {
    expect(template.split("\n").length - 1).toBeLessThanOrEqual(132);
    expect(template).not.toMatch(/xds|dynamic_resources|credential_injector|generic_secret|config_discovery/i);
  });

  it("envoy.yaml names the cluster that the filter calls", () => {
    const { static_resources: resources } = parse(template) as { static_resources: { clusters: { name: string }[] } };
    const [, cluster = ""] = /"cluster":"([^"]+)"/.exec(template) ?? [];
    expect(resources.clusters.map(({ name }) => name)).toContain(cluster);
  });
});

/** What stands under this name, wherever it does. */
function allNamed(name: string, node: unknown): unknown[] {
  if (typeof node !== "object" || node === null) return [];
  const entries: [string, unknown][] = Object.entries(node);
  return entries.flatMap(([key, value]) => [...(key === name ? [value] : []), ...allNamed(name, value)]);
}

describe("routes of envoy.yaml, committed and rendered", () => {
  it.each([
    ["committed", () => Promise.resolve(template)],
    ["rendered", () => renderEnvoy(everything)],
    ["rendered for a followed file", () => renderEnvoy({ followedFile: "/filter/sluice.json" })],
  ])("a route that is %s bounds how long nothing moves, not how long an answer takes", async (_, made) => {
    const yaml = await made();
    const routes = allNamed("route", parse(yaml));
    expect(routes.length).toBeGreaterThan(0);
    for (const route of routes) expect(route).toMatchObject({ timeout: "0s", idle_timeout: "60s" });
    expect(allNamed("max_stream_duration", parse(yaml))).toEqual([]);
  });
});

describe("rendering envoy.yaml", () => {
  it("rendering sets exactly what was asked for and nothing else", async () => {
    const before: unknown = parse(template);
    const after: unknown = parse(await renderEnvoy(everything));
    expect(differences(before, after)).toEqual({
      ".node.id": "gw-1",
      ".admin.address.socket_address.port_value": 2,
      ".static_resources.listeners.0.address.socket_address.address": "0.0.0.0",
      ".static_resources.listeners.0.address.socket_address.port_value": 1,
      [`${FILTER}.vm_config.code.local.filename`]: everything.filterPath,
      [`${FILTER}.configuration.value`]: JSON.stringify(settings),
      [`${endpoint(0)}.address`]: "service",
      [`${endpoint(0)}.port_value`]: 3,
      [`${endpoint(1)}.address`]: "plane",
      [`${endpoint(1)}.port_value`]: 4,
      ".static_resources.clusters.1.name": "another-cluster",
      ".static_resources.clusters.1.load_assignment.cluster_name": "another-cluster",
    });
  });

  it("rendering changes nothing when nothing is asked for", async () => {
    expect(parse(await renderEnvoy({}))).toEqual(parse(template));
  });

  it("rendering takes the filter out of the file where Envoy follows one for it", async () => {
    const filter = FILTER.replace(".typed_config.config", "");
    const changes = differences(parse(template), parse(await renderEnvoy({ followedFile: "/etc/sluice/sluice.yaml" })));
    expect(Object.keys(changes)).toEqual([`${filter}.typed_config`, `${filter}.config_discovery`]);
    expect(changes[`${filter}.config_discovery`]).toEqual({
      config_source: { path_config_source: { path: "/etc/sluice/sluice.yaml" }, resource_api_version: "V3" },
      type_urls: ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"],
    });
  });

  it("rendering says which part a template lacks", async () => {
    const lacking = template.replace("name: sluice_control_plane\n      type", "name: another\n      type");
    await expect(renderEnvoy(everything, lacking)).rejects.toThrow(
      "envoy.yaml lacks static_resources.clusters[name=sluice_control_plane].load_assignment",
    );
  });

  it("rendering says so when the template is not YAML", async () => {
    await expect(renderEnvoy({}, "a: [")).rejects.toThrow("envoy.yaml is not YAML");
  });
});

const FILTER =
  ".static_resources.listeners.0.filter_chains.0.filters.0.typed_config.http_filters.0.typed_config.config";

function endpoint(cluster: number): string {
  return `.static_resources.clusters.${cluster}.load_assignment.endpoints.0.lb_endpoints.0.endpoint.address.socket_address`;
}

/** Each path whose value differs, with the value it has in `after`. */
function differences(before: unknown, after: unknown, path = ""): Record<string, unknown> {
  if (typeof before !== "object" || typeof after !== "object" || before === null || after === null) {
    return Object.is(before, after) ? {} : { [path]: after };
  }
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  const parts = [...keys].map((key) =>
    differences(before[key as keyof typeof before], after[key as keyof typeof after], `${path}.${key}`),
  );
  return Object.assign({}, ...parts) as Record<string, unknown>;
}
