// The command line: what belongs into Envoy, printed for given names, with no control plane and no token.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { sluice } from "../support/cli.js";

const POLICY = "version: 1\nplans:\n  - { id: 0, name: starter, maxTokens: 100, tokenRefillRate: 10 }\n";
const BAD = "version: 1\nplans:\n  - { id: 0, name: starter, maxTokens: 0, tokenRefillRate: 10 }\n";
const env = { SLUICE_ADMIN_TOKEN: "", SLUICE_URL: "http://127.0.0.1:1" };
const files = { "p.yaml": POLICY, "bad.yaml": BAD };

const run = (line: string) => sluice(line, { env, files });

/** The document that it prints, which must be all that it says. */
async function printed(line: string): Promise<unknown> {
  const ran = await run(line);
  expect(ran).toMatchObject({ code: 0, err: "" });
  return parse(ran.out);
}

const DEFAULTS = {
  version: 1,
  controlPlane: { cluster: "sluice_control_plane" },
  table: { name: "default", capacity: 65536 },
  follow: true,
};

describe("sluice render settings", () => {
  it("render settings prints the settings of a quick start: every default, and no policy", async () => {
    expect(await printed("render settings")).toEqual(DEFAULTS);
  });

  it("render settings prints what was chosen", async () => {
    const line = "render settings --cluster outbound|8080||a.b.svc --table blue --capacity 1024";
    const chosen = { controlPlane: { cluster: "outbound|8080||a.b.svc" }, table: { name: "blue", capacity: 1024 } };
    expect(await printed(line)).toEqual({ ...DEFAULTS, ...chosen });
  });

  it("render settings holds the whole policy where one is given, for good if asked", async () => {
    const settings = (await printed("render settings --with-policy p.yaml --no-follow")) as { policy: object };
    expect(settings).toMatchObject({
      follow: false,
      policy: { version: 1, plans: [{ name: "starter", scope: "edge" }] },
    });
  });

  it("render settings prints one line of JSON, as Envoy's StringValue holds it", async () => {
    for (const line of ["render settings --format json", "render settings --json"]) {
      const { out } = await run(line);
      expect(out).toBe(`${JSON.stringify(DEFAULTS)}\n`);
    }
    expect(await printed("render settings --format yaml")).toEqual(DEFAULTS);
  });

  it("render settings prints nothing of a policy with violations, and names their positions", async () => {
    const ran = await run("render settings --with-policy bad.yaml");
    expect(ran).toMatchObject({ code: 1, out: "" });
    expect(ran.err).toMatch(
      /^bad\.yaml:3:\d+: plans\[0\]\.maxTokens: .+\nsluice: POLICY_REJECTED: bad\.yaml has 1 violation\n$/,
    );
  });
});

describe("sluice render ecds-file", () => {
  interface File {
    version_info: string;
    resources: { typed_config: { value: { config: { configuration: { value: string } } } } }[];
  }

  it("render ecds-file prints one resource under the filter's name, with settings as a string", async () => {
    const file = (await printed("render ecds-file --filter /f/sluice-1.wasm --table blue")) as File;
    expect(file).toMatchObject({
      resources: [
        {
          "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
          name: "sluice",
          typed_config: {
            type_url: "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            value: { config: { vm_config: { vm_id: "sluice", code: { local: { filename: "/f/sluice-1.wasm" } } } } },
          },
        },
      ],
    });
    const settings = file.resources[0]?.typed_config.value.config.configuration.value ?? "";
    expect(JSON.parse(settings)).toEqual({ ...DEFAULTS, table: { name: "blue", capacity: 65536 } });
  });

  it("render ecds-file has another version with other content, and the same with the same", async () => {
    const version = async (line: string): Promise<string> =>
      ((await printed(`render ecds-file ${line}`)) as File).version_info;
    const one = await version("--filter /f/1.wasm");
    expect(one).toMatch(/^[0-9a-f]{12}$/);
    expect(await version("--filter /f/1.wasm")).toBe(one);
    expect(await version("--filter /f/2.wasm")).not.toBe(one);
    expect(await version("--filter /f/1.wasm --capacity 1024")).not.toBe(one);
  });
});

describe("sluice render wasmplugin", () => {
  it("render wasmplugin prints the example that is committed", async () => {
    const example: unknown = parse(
      readFileSync(new URL("../../../envoy/istio/wasmplugin.yaml", import.meta.url), "utf8"),
    );
    expect(await printed("render wasmplugin --image registry.example/sluice-filter:0.1.0")).toEqual(example);
  });

  it("render wasmplugin prints the given names, and the cluster of the control plane's Service", async () => {
    const digest = "0123456789abcdef".repeat(4);
    const plugin = await printed(
      `render wasmplugin --image r.example/f:1 --sha256 ${digest} --name limits --namespace edge ` +
        "--control-plane-namespace limiter --selector app=gw,gateway.networking.k8s.io/gateway-name=in --with-policy p.yaml",
    );
    expect(plugin).toMatchObject({
      metadata: { name: "limits", namespace: "edge" },
      spec: {
        selector: { matchLabels: { app: "gw", "gateway.networking.k8s.io/gateway-name": "in" } },
        url: "oci://r.example/f:1",
        sha256: digest,
        failStrategy: "FAIL_RELOAD",
        pluginConfig: {
          controlPlane: { cluster: "outbound|8080||sluice.limiter.svc.cluster.local" },
          policy: { plans: [{ name: "starter" }] },
        },
      },
    });
  });
});

describe("sluice render envoy", () => {
  const template = readFileSync(new URL("../../../envoy.yaml", import.meta.url), "utf8");

  it("render envoy prints envoy.yaml, comments included, with the settings spelled out", async () => {
    const { out } = await run("render envoy");
    const quoted = '\'{"version":1,"controlPlane":{"cluster":"sluice_control_plane"}}\'';
    const expected = template.replace(quoted, () => `'${JSON.stringify(DEFAULTS)}'`);
    // The printer has its own mind of the blanks in a list.
    expect(out.replaceAll("[ ", "[").replaceAll(" ]", "]")).toBe(expected);
  });

  it("render envoy puts every name where it belongs, and the cluster's name twice", async () => {
    const envoy = await printed(
      "render envoy --upstream [::1]:81 --control-plane plane.example:82 --node-id gw-1 --listen 0.0.0.0:83 " +
        "--admin-port 84 --filter /f/1.wasm --cluster limiter",
    );
    expect(envoy).toMatchObject({
      node: { id: "gw-1" },
      admin: { address: { socket_address: { address: "127.0.0.1", port_value: 84 } } },
      static_resources: {
        listeners: [{ address: { socket_address: { address: "0.0.0.0", port_value: 83 } } }],
        clusters: [{ name: "upstream" }, { name: "limiter", load_assignment: { cluster_name: "limiter" } }],
      },
    });
    const text = JSON.stringify(envoy);
    for (const part of ['"address":"::1","port_value":81', '"address":"plane.example","port_value":82', "/f/1.wasm"]) {
      expect(text).toContain(part);
    }
    expect(text).toContain(JSON.stringify('"controlPlane":{"cluster":"limiter"}').slice(1, -1));
  });

  it("render envoy prints JSON where that is asked for", async () => {
    const { out } = await run("render envoy --json");
    expect(JSON.parse(out)).toMatchObject({ node: { id: "sluice-edge" } });
  });
});

it.each([
  ["settings --colour red", /Unknown option '--colour'/],
  ["settings --cluster", /Option '--cluster <value>' argument missing/],
  ["settings --with-policy none.yaml", /^sluice: none\.yaml cannot be read: ENOENT\n/],
  ["settings --no-follow", /--no-follow needs --with-policy: without one the edge would have no policy at all/],
  ["settings --capacity 1000", /--capacity: expected a whole number from 1024 to 4194304/],
  ["settings --capacity 1025", /--capacity: expected a power of two/],
  ["settings --table Blue", /--table: expected 1 to 32 of a-z, 0-9 and "-"/],
  ["settings --cluster ü", /--cluster: expected 1 to 256 visible ASCII characters/],
  ["settings --format xml", /--format: expected yaml or json/],
  ["settings --json --format yaml", /--json and --format yaml do not go together/],
  ["settings --filter f.wasm", /Unknown option '--filter'/],
  ["settings more", /too many arguments: 0 expected, 1 given/],
  ["ecds-file", /--filter is missing: the compiled filter, as Envoy sees it/],
  ["envoy --upstream localhost", /--upstream: expected HOST:PORT, such as 10\.0\.0\.7:8080 or \[::1\]:8080/],
  ["envoy --listen ::1:80", /--listen: expected HOST:PORT/],
  [
    "envoy --listen localhost:80",
    /--listen: expected an address of this machine, such as 127\.0\.0\.1:10000, and no name/,
  ],
  ["envoy --control-plane plane:0", /--control-plane: expected HOST:PORT/],
  ["envoy --admin-port 65536", /--admin-port: expected a whole number from 1 to 65535/],
  ["envoy --cluster upstream", /--cluster: expected another name: upstream is the service's/],
  ["envoy --followed-file f.yaml --capacity 1024", /--followed-file names what holds the filter and its settings/],
  ["wasmplugin", /--image is missing: the filter's OCI image, with its registry and tag/],
  ["wasmplugin --image oci://r.example/f:1", /--image: expected an image's reference without a digest/],
  ["wasmplugin --image r.example/f:1 --sha256 abc", /--sha256: expected 64 hex digits, in lower case/],
  ["wasmplugin --image r.example/f:1 --namespace Edge", /--namespace: expected up to 63 of a-z, 0-9 and "-"/],
  ["wasmplugin --image r.example/f:1 --selector app", /--selector: expected KEY=VALUE, such as istio=ingressgateway/],
])("a render command says in one sentence what is wrong: sluice render %s", async (line, sentence) => {
  const ran = await run(`render ${line}`);
  expect(ran).toMatchObject({ code: 2, out: "" });
  expect(ran.err).toMatch(sentence);
});

it("sluice render lists its commands where none is named", async () => {
  const { code, err } = await run("render");
  expect(code).toBe(2);
  for (const name of ["settings", "wasmplugin", "ecds-file", "envoy"]) expect(err).toContain(`render ${name}`);
});
