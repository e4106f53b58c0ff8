// What `sluice doctor` makes of what a control plane and an Envoy say of themselves: each fault by its own code, in order.
import { createServer } from "node:http";
import { describe, expect, it } from "vitest";

import { ecdsFile } from "../../src/render/ecds-file.js";
import { edgeSettings } from "../../src/render/edge-settings.js";
import { jsonLines, sluice } from "../support/cli.js";
import type { World } from "../support/cli.js";
import { created, ISSUER_TOKEN, KEYS, startTestControlPlane } from "../support/control-plane.js";
import type { TestControlPlane } from "../support/control-plane.js";
import { answer, answering, listening } from "../support/scripted-server.js";
import { request } from "../support/watching.js";

interface Finding {
  readonly code: string;
  readonly about: string;
  readonly what: string;
  readonly act: string;
}

const found = async (world: World, more = ""): Promise<Finding[]> =>
  jsonLines(await sluice(`doctor --json ${more}`, world)) as Finding[];
const codes = async (world: World, more = ""): Promise<string[]> => (await found(world, more)).map(({ code }) => code);

/** An edge that watches, has the policy, and has reported from two workers. */
function inOrder(plane: TestControlPlane, edge = "gw-1", said: Parameters<typeof request>[0] = {}): () => void {
  const watch = request({ edge, ...said });
  plane.instances.watched(watch);
  return plane.instances.watching(watch);
}

describe("the command's own settings", () => {
  it("doctor finds a token that is missing, wrong or an issuer's", async () => {
    const { url } = await startTestControlPlane();
    const withToken = (token: string): World => ({ url, env: { SLUICE_ADMIN_TOKEN: token } });
    expect(await codes(withToken(""))).toEqual(["COMMAND_SETTINGS"]);
    expect(await codes(withToken("no-operator-has-this-token"))).toEqual(["UNAUTHORIZED"]);
    const [issuers] = await found(withToken(ISSUER_TOKEN));
    expect(issuers).toMatchObject({ code: "FORBIDDEN", about: "this command" });
    expect(await sluice("doctor", { url: "http://127.0.0.1:1" })).toMatchObject({ code: 7 });
    expect(await sluice("doctor --envoy nonsense", { url })).toMatchObject({ code: 2, out: "" });
  });
});

describe("the control plane", () => {
  it("doctor finds nothing where the control plane and its edge are in order", async () => {
    const plane = await startTestControlPlane();
    inOrder(plane);
    const ran = await sluice("doctor", plane);
    expect(ran.out + ran.err).toBe("Nothing to mend: 1 edge watches\n");
    expect(ran.code).toBe(0);
    expect(await sluice("doctor --json", plane)).toMatchObject({ code: 0, out: "" });
  });

  it("doctor names a store that cannot be written, then clocks, then the issuers' file", async () => {
    const installation = {
      notReady: () => Promise.resolve("The store cannot be written: ENOSPC"),
      isIssuersFileRejected: () => true,
    };
    const plane = await startTestControlPlane(undefined, { installation });
    inOrder(plane);
    const world = { url: plane.url, wallMs: plane.clock.nowMs() - 7_200_000 };
    expect(await codes(world)).toEqual(["NOT_READY", "CLOCK_DIFFERS", "ISSUERS_REJECTED"]);
    expect((await found(world))[1]?.what).toBe("this machine's clock is 2 hours behind the control plane's");
    const { out } = await sluice("doctor", world);
    expect(out).toMatch(
      /^1\. control plane: it is not ready: The store cannot be written: ENOSPC\n {3}Make room on its disk/,
    );
  });

  it("doctor tells the status listener from the API", async () => {
    const { statusUrl } = await startTestControlPlane();
    const told = await found({ url: statusUrl });
    expect(told).toMatchObject([{ code: "ROUTE_NOT_FOUND", about: "control plane" }]);
    expect(told[0]?.what).toContain("This is the status listener");
    expect(told[0]?.act).toContain("SLUICE_URL");
  });

  it("doctor asks an older control plane what that knows", async () => {
    const missing = answer(404, { error: { code: "ROUTE_NOT_FOUND", message: "no" } });
    const { url } = await answering(missing, missing, answer(200, { edges: [], unauthenticated: [] }));
    expect(await codes({ url })).toEqual(["NO_EDGES"]);
  });
});

describe("edges", () => {
  it("doctor finds an edge whose clock is off, and one whose secret differs", async () => {
    const plane = await startTestControlPlane();
    inOrder(plane, "gw-0");
    for (const edge of ["gw-2", "gw-3"]) inOrder(plane, edge, { wallMs: plane.clock.nowMs() });
    for (let watched = 0; watched < 2; watched++) {
      inOrder(plane, "gw-1", { wallMs: plane.clock.nowMs() - 720_000 });
      plane.clock.advance(15_000);
    }
    await plane.call("POST", "/edge/v1/watch", {}, "another-credential", { "x-sluice-edge": "gw-9" });
    const about = (await found(plane)).map(({ code, about: edge }) => `${edge}: ${code}`);
    expect(about).toContain("edge gw-9: SECRET_DIFFERS");
    expect(about).toContain("edge gw-1: CLOCK_OFF");
    plane.clock.advance(130_000);
    expect((await found(plane)).map(({ code }) => code)).not.toContain("SECRET_DIFFERS");
  });

  it("doctor finds edges that rejected the policy, trapped, share a name or do not watch", async () => {
    const edge = {
      ...{
        edge: "gw-1",
        state: "rejected",
        published: 4,
        violations: [{ path: "plans[0]", message: "no such field" }],
      },
      ...{ silentWorkers: 2, running: {}, watching: true, lastReportAt: null, lag: 0, instances: [] },
      ...{ double: { tableName: "default", addresses: ["10.0.0.7", "10.0.0.8"], since: 0 } },
    };
    const missing = answer(404, { error: { code: "ROUTE_NOT_FOUND", message: "no" } });
    const trapped = { ...edge, edge: "gw-2", state: "trapped", silentWorkers: 0, double: null };
    const cut = { ...trapped, edge: "gw-3", state: "current", watching: false };
    const { url } = await answering(missing, missing, answer(200, { edges: [edge, trapped, cut] }));
    expect((await found({ url })).map(({ code, about }) => [about, code])).toEqual([
      ["edge gw-1", "DOUBLE_NODE_ID"],
      ["edge gw-1", "EDGE_REJECTED_POLICY"],
      ["edge gw-1", "WORKERS_SILENT"],
      ["edge gw-2", "FILTER_TRAPPED"],
      ["edge gw-3", "NOT_WATCHING"],
    ]);
  });
});

const SECRET = "s3cr3t-of-this-installation";
const GOOD = ecdsFile({ filterPath: "/sluice.wasm", settings: edgeSettings({}) });
const hostAt = (address: object): object => ({ address, health_status: { eds_health_status: "HEALTHY" } });
const UP = {
  name: "sluice_control_plane",
  host_statuses: [hostAt({ socket_address: { address: "10.0.0.7", port_value: 8080 } })],
};
const RUNNING = [
  "server.concurrency: 2",
  "wasm.wasm_vm_count: 4",
  "wasmcustom.sluice_calls_total.call=.=watch;.;outcome=.=ok;.;: 3",
];

interface FakeEnvoy {
  readonly version?: string;
  readonly nodeId?: string;
  readonly state?: string;
  readonly listeners?: unknown;
  /** What it received for the filters that it discovers. */
  readonly discovered?: unknown;
  readonly clusters?: readonly unknown[];
  readonly stats?: readonly string[];
}

/** What an Envoy's admin interface answers. */
async function envoy({ version = "1.40.0", nodeId = "gw-1", state = "LIVE", ...said }: FakeEnvoy): Promise<string> {
  const { listeners = GOOD, discovered, clusters = [UP], stats = RUNNING } = said;
  const server = createServer((asked, response) => {
    const path = asked.url ?? "";
    const body = path.startsWith("/server_info")
      ? { version: `0123/${version}/Clean/RELEASE/BoringSSL`, state, node: { id: nodeId } }
      : path.startsWith("/clusters")
        ? { cluster_statuses: clusters }
        : { configs: path.includes("ecds") ? [{ ecds_filter: discovered }] : [listeners] };
    const hasNone = path.includes("dynamic_listeners") || (path.includes("ecds_filters") && discovered === undefined);
    if (hasNone) response.writeHead(404);
    response.end(path.startsWith("/stats") ? stats.join("\n") : JSON.stringify(body));
  });
  return listening(server);
}

/** A filter's configuration, with something else in its environment. */
const filterWith = (environment: unknown): unknown =>
  JSON.parse(
    JSON.stringify(GOOD).replace(
      /"environment_variables":\{[^}]*\}/,
      `"environment_variables":${JSON.stringify(environment)}`,
    ),
  );

/** A listener that discovers a filter, which may be of these types. */
const discovering = (name: string, ...types: string[]): unknown => ({
  name,
  config_discovery: { type_urls: types.map((type) => `type.googleapis.com/envoy.extensions.filters.http.${type}`) },
});
/** Istio's names, as in test/e2e/harness/xds/istio.ts. */
const PLUGIN = "istio-system.sluice~istio-translated-wasmplugin";
const EXTENSION = `extensions.istio.io/trafficextension/${PLUGIN}`;
const OF_ISTIO = discovering(EXTENSION, "wasm.v3.Wasm", "rbac.v3.RBAC");
const DENIAL = {
  name: EXTENSION,
  typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC" },
};
const RENAMED = {
  listeners: JSON.parse(
    JSON.stringify(GOOD).replace('"name":"sluice","root_id"', `"name":"${PLUGIN}","root_id"`),
  ) as unknown,
};

describe("an Envoy", () => {
  const cases: readonly (readonly [string, FakeEnvoy, readonly string[]])[] = [
    ["that calls another control plane", {}, ["EDGE_UNKNOWN"]],
    ["too old", { version: "1.35.4" }, ["ENVOY_TOO_OLD"]],
    ["without node.id", { nodeId: "" }, ["NO_NODE_ID"]],
    ["that does not serve yet", { state: "PRE_INITIALIZING" }, ["ENVOY_NOT_LIVE"]],
    ["without the filter", { listeners: {} }, ["NO_FILTER"]],
    ["that waits for the filter", { listeners: { name: "sluice", config_discovery: {} } }, ["FILTER_NOT_RECEIVED"]],
    ["of Istio that waits for the filter", { listeners: OF_ISTIO }, ["FILTER_NOT_RECEIVED"]],
    ["of Istio that was given a denial for it", { listeners: OF_ISTIO, discovered: DENIAL }, ["FILTER_NOT_RECEIVED"]],
    ["that discovers another filter", { listeners: discovering("other", "rbac.v3.RBAC") }, ["NO_FILTER"]],
    ["whose filter has no secret", { listeners: filterWith({}) }, ["NO_SECRET"]],
    ["whose filter does not run", { stats: ["server.concurrency: 2"] }, ["FILTER_NOT_RUNNING"]],
    ["without the cluster", { clusters: [] }, ["NO_CLUSTER"]],
    ["whose cluster has no host", { clusters: [{ ...UP, host_statuses: [] }] }, ["NO_HOST"]],
    [
      "whose cluster is unhealthy",
      { clusters: [{ ...UP, host_statuses: [{ health_status: { failed_active_health_check: true } }] }] },
      ["NO_HOST"],
    ],
    [
      "whose secret differs",
      { stats: [...RUNNING, RUNNING[2]?.replace("ok", "unauthorized") ?? ""] },
      ["SECRET_DIFFERS"],
    ],
    ["that was never answered", { stats: RUNNING.map((line) => line.replace(": 3", ": 0")) }, ["CALLS_FAIL"]],
    ["with workers without a filter", { stats: [...RUNNING, "wasm.wasm_vm_count: 2"] }, ["WORKERS_WITHOUT_FILTER"]],
    [
      "whose renamed filter trapped",
      { ...RENAMED, stats: [...RUNNING, `wasm.${PLUGIN}.vm_reload_success: 1`] },
      ["FILTER_TRAPPED"],
    ],
    ["whose filter trapped", { stats: [...RUNNING, "wasm.sluice.vm_reload_success: 1"] }, ["FILTER_TRAPPED"]],
  ];

  it.each(cases)("doctor has one code for an Envoy %s", async (_name, said, expected) => {
    const plane = await startTestControlPlane();
    inOrder(plane, "another-edge");
    expect(await codes(plane, `--envoy ${await envoy(said)}`)).toEqual(expected);
  });

  it("doctor says whom an Envoy calls that this control plane has not heard of", async () => {
    const plane = await startTestControlPlane();
    const hosts = [{ socket_address: { address: "::1", port_value: 80 } }, { pipe: { path: "/run/plane" } }];
    const url = await envoy({ clusters: [{ ...UP, host_statuses: hosts.map(hostAt) }] });
    const [another, ...rest] = await found(plane, `--envoy ${url}`);
    expect(rest).toEqual([]);
    expect(another).toMatchObject({ code: "EDGE_UNKNOWN", about: "edge gw-1" });
    expect(another?.what).toBe(
      "its cluster sluice_control_plane calls [::1]:80, /run/plane, and this control plane has not heard of this Envoy",
    );
    const alone = await found(plane);
    expect(alone[0]?.act).toContain("--envoy URL looks into one");
    const [, none] = await found(plane, `--envoy ${await envoy({ listeners: {} })}`);
    expect(none).toMatchObject({ code: "NO_EDGES", act: expect.not.stringContaining("--envoy") as string });
    inOrder(plane, "gw-1");
    expect(await codes(plane, `--envoy ${url}`)).toEqual([]);
  });

  it("doctor passes over failed calls of an Envoy that watches now", async () => {
    const plane = await startTestControlPlane();
    inOrder(plane, "gw-1");
    const failedOnce = [...RUNNING, "cluster.sluice_control_plane.upstream_cx_connect_fail: 7"];
    expect(await codes(plane, `--envoy ${await envoy({ stats: failedOnce })}`)).toEqual([]);
  });

  it("doctor passes over calls that failed once where the control plane does not say who watches", async () => {
    const plane = await startTestControlPlane();
    const failedOnce = [
      ...RUNNING,
      "cluster.sluice_control_plane.upstream_cx_connect_fail: 7",
      RUNNING[2]?.replace("ok", "unauthorized") ?? "",
    ];
    const option = `--envoy ${await envoy({ stats: failedOnce })}`;
    const withToken = (token: string): World => ({ url: plane.url, env: { SLUICE_ADMIN_TOKEN: token } });
    expect(await codes(withToken("no-operator-has-this-token"), option)).toEqual(["UNAUTHORIZED"]);
    expect(await codes(withToken(ISSUER_TOKEN), option)).toEqual(["FORBIDDEN"]);
    expect(await codes(withToken(""), option)).toEqual(["COMMAND_SETTINGS"]);
    const never = RUNNING.map((line) => line.replace(": 3", ": 0"));
    expect(await codes(withToken(""), `--envoy ${await envoy({ stats: never })}`)).toEqual([
      "COMMAND_SETTINGS",
      "CALLS_FAIL",
    ]);
  });

  it("doctor names the filter of Istio that an Envoy waits for, and what it got in its place", async () => {
    const plane = await startTestControlPlane();
    inOrder(plane, "another-edge");
    const [waiting] = await found(plane, `--envoy ${await envoy({ listeners: OF_ISTIO })}`);
    expect(waiting?.what).toContain(`it has not received the filter ${EXTENSION}`);
    const [denying] = await found(plane, `--envoy ${await envoy({ listeners: OF_ISTIO, discovered: DENIAL })}`);
    expect(denying?.what).toContain("it received envoy.extensions.filters.http.rbac.v3.RBAC, not Sluice's");
  });

  it("doctor names an Envoy whose secret differs once, however many say so", async () => {
    const plane = await startTestControlPlane();
    await plane.call("POST", "/edge/v1/watch", {}, "another-credential", { "x-sluice-edge": "gw-1" });
    const stats = [...RUNNING, RUNNING[2]?.replace("ok", "unauthorized") ?? ""];
    expect(await codes(plane, `--envoy ${await envoy({ stats })}`)).toEqual(["SECRET_DIFFERS"]);
  });

  it("doctor prints nothing of a secret that stands in an Envoy's configuration", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    const listeners = filterWith({ key_values: { SLUICE_SECRET: SECRET } });
    const url = await envoy({ listeners, clusters: [], nodeId: "" });
    for (const format of ["text", "json"]) {
      const ran = await sluice(`doctor -o ${format} --envoy ${url}`, plane);
      for (const secret of [SECRET, KEYS.edgeCredential, session.id]) expect(ran.out + ran.err).not.toContain(secret);
    }
  });
});
