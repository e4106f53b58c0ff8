// The bootstrap that operators copy, and what rendering does to it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { projectRoot } from "../../scripts/project-root.js";
import { type EnvoyOptions, renderEnvoy } from "../../scripts/render-envoy.js";

const template = readFileSync(join(projectRoot, "envoy.yaml"), "utf8");
const everything: Required<EnvoyOptions> = {
  proxyPort: 1,
  adminPort: 2,
  bind: "0.0.0.0",
  upstream: { host: "service", port: 3 },
  controlPlane: { host: "plane", httpPort: 4, xdsPort: 5 },
  nodeId: "gw-1",
  filterPath: "/filter/sluice-0123.wasm",
  policyJson: '{"it":"has \\"quotes\\", \'too\' and is: long ' + "x".repeat(300) + '"}',
};

describe("rendering envoy.yaml", () => {
  it("sets exactly what was asked for and nothing else", () => {
    const before: unknown = parse(template);
    const after: unknown = parse(renderEnvoy(everything));
    expect(differences(before, after)).toEqual({
      ".node.id": "gw-1",
      ".admin.address.socket_address.port_value": 2,
      ".static_resources.listeners.0.address.socket_address.address": "0.0.0.0",
      ".static_resources.listeners.0.address.socket_address.port_value": 1,
      [`${FILTER}.vm_config.code.local.filename`]: everything.filterPath,
      [`${FILTER}.configuration.value`]: everything.policyJson,
      [`${endpoint(0)}.address`]: "service",
      [`${endpoint(0)}.port_value`]: 3,
      [`${endpoint(1)}.address`]: "plane",
      [`${endpoint(1)}.port_value`]: 4,
      [`${endpoint(2)}.address`]: "plane",
      [`${endpoint(2)}.port_value`]: 5,
    });
  });

  it("changes nothing when nothing is asked for", () => {
    expect(parse(renderEnvoy({}))).toEqual(parse(template));
  });

  it("says which place a template lacks", () => {
    const lacking = template.replace("name: sluice_xds\n      type", "name: another\n      type");
    expect(() => renderEnvoy(everything, lacking)).toThrow(
      "envoy.yaml lacks static_resources.clusters[name=sluice_xds].load_assignment",
    );
  });

  it("says so when the template is not YAML", () => {
    expect(() => renderEnvoy({}, "a: [")).toThrow("envoy.yaml is not YAML");
  });
});

const FILTER =
  ".static_resources.listeners.0.filter_chains.0.filters.0.typed_config.http_filters.0.config_discovery.default_config.config";

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
