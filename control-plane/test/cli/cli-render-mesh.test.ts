// The command line: whole installations for a cluster, printed for given names.
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { sluice } from "../support/cli.js";

const env = { SLUICE_ADMIN_TOKEN: "", SLUICE_URL: "http://127.0.0.1:1" };
const POLICY = "version: 1\n# Ours.\nplans:\n  - { id: 0, name: starter, maxTokens: 100, tokenRefillRate: 10 }\n";
const BAD = "version: 1\nplans:\n  - { id: 0, name: starter, maxTokens: 0, tokenRefillRate: 10 }\n";
const DIGEST = "0123456789abcdef".repeat(4);
const run = (line: string) => sluice(line, { env, files: { "p.yaml": POLICY, "bad.yaml": BAD } });

/** The manifests that it prints, by their kinds. */
async function printed(line: string): Promise<Record<string, unknown>> {
  const ran = await run(`render ${line}`);
  expect(ran).toMatchObject({ code: 0, err: "" });
  const documents = parseAllDocuments(ran.out).map((one) => one.toJS() as { kind: string });
  return Object.fromEntries(documents.map((one) => [one.kind, one]));
}

describe("sluice render kubernetes", () => {
  it("render kubernetes runs the image by its digest, pulled with the given secret", async () => {
    const { StatefulSet } = await printed(
      `kubernetes --image r.example/s:1.2 --image-digest sha256:${DIGEST} --image-pull-secret pull --namespace limits`,
    );
    expect(StatefulSet).toMatchObject({
      metadata: { namespace: "limits", labels: { "app.kubernetes.io/version": "1.2" } },
      spec: {
        serviceName: "sluice-status",
        template: {
          spec: { imagePullSecrets: [{ name: "pull" }], containers: [{ image: `r.example/s:1.2@sha256:${DIGEST}` }] },
        },
      },
    });
  });

  it("render kubernetes puts the policy into a ConfigMap as it stands in its file", async () => {
    const { ConfigMap } = await printed("kubernetes --image r.example/s:1 --policy p.yaml");
    expect(ConfigMap).toMatchObject({ metadata: { name: "sluice-policy" }, data: { "policy.yaml": POLICY } });
    expect(await run("render kubernetes --image r.example/s:1 --policy bad.yaml")).toMatchObject({ code: 1, out: "" });
  });

  it("render kubernetes of the shared form has as many control planes as asked for", async () => {
    const { Deployment, PodDisruptionBudget } = await printed(
      "kubernetes --image r.example/s:1 --store shared --replicas 3",
    );
    expect(Deployment).toMatchObject({ spec: { replicas: 3 } });
    expect(JSON.stringify(Deployment)).not.toContain("volumeClaim");
    expect(PodDisruptionBudget).toMatchObject({ spec: { maxUnavailable: 1 } });
  });
});

/** Of whatever runs the control plane. */
interface Workload {
  readonly spec: {
    readonly podManagementPolicy?: string;
    readonly template: {
      readonly spec: {
        readonly securityContext: Readonly<Record<string, unknown>>;
        readonly containers: readonly [Readonly<Record<string, unknown>>];
      };
    };
  };
}

async function workloadOf(line: string): Promise<Workload["spec"]> {
  const { StatefulSet, Deployment } = await printed(`kubernetes --image r.example/s:1 ${line}`);
  return ((StatefulSet ?? Deployment) as Workload).spec;
}

describe("the control plane's pods", () => {
  it.each(["folder", "shared"])(
    "an outage of a %s store takes no pod out of the Service, and ends none",
    async (store) => {
      const [{ readinessProbe, livenessProbe, startupProbe }] = (await workloadOf(`--store ${store}`)).template.spec
        .containers;
      expect(readinessProbe).toEqual({ tcpSocket: { port: "http" }, periodSeconds: 5 });
      for (const probe of [livenessProbe, startupProbe]) {
        expect(probe).toMatchObject({ httpGet: { path: "/healthz", port: "status" } });
      }
    },
  );

  it("a StatefulSet whose pod never became ready takes a mended template", async () => {
    expect((await workloadOf("--store folder")).podManagementPolicy).toBe("Parallel");
  });

  it("pods for OpenShift name no ids, and may look names up where its DNS is", async () => {
    const { securityContext } = (await workloadOf("--openshift")).template.spec;
    expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    for (const id of ["runAsUser", "runAsGroup", "fsGroup"]) expect(securityContext).not.toHaveProperty(id);
    const { NetworkPolicy } = await printed("kubernetes --image r.example/s:1 --openshift");
    const dns = [53, 5353].flatMap((port) => ["UDP", "TCP"].map((protocol) => ({ protocol, port })));
    expect(NetworkPolicy).toMatchObject({ spec: { egress: [{ ports: dns }] } });
    expect((await workloadOf("")).template.spec.securityContext).toMatchObject({ runAsUser: 1000, fsGroup: 1000 });
  });
});

describe("sluice render istio", () => {
  it("render istio for a gateway of the Gateway API selects the pods that Istio makes of it", async () => {
    const { WasmPlugin, ConfigMap } = await printed(
      `istio --image r.example/f:1 --image-digest ${DIGEST} --image-pull-secret pull --gateway gateway-api --workload in`,
    );
    expect(WasmPlugin).toMatchObject({
      spec: {
        selector: { matchLabels: { "gateway.networking.k8s.io/gateway-name": "in" } },
        sha256: DIGEST,
        imagePullSecret: "pull",
      },
    });
    expect(ConfigMap).toMatchObject({ metadata: { name: "sluice-gateway", namespace: "istio-system" } });
  });

  it("render istio for sidecars limits what others ask of the service, not what it asks", async () => {
    const { WasmPlugin, Deployment } = await printed("istio --image r.example/f:1 --sidecar app=shop --namespace shop");
    expect(WasmPlugin).toMatchObject({
      metadata: { namespace: "shop" },
      spec: { selector: { matchLabels: { app: "shop" } }, match: [{ mode: "SERVER" }] },
    });
    expect(Deployment).toMatchObject({ metadata: { name: "shop", namespace: "shop" } });
  });
});

describe("sluice render gateway", () => {
  it("render gateway names one cluster in the settings and in the route that makes it", async () => {
    const { EnvoyExtensionPolicy, HTTPRoute, ReferenceGrant } = await printed(
      "gateway --image r.example/f:1 --gateway in --namespace edge --name limits --control-plane-namespace plane",
    );
    expect(EnvoyExtensionPolicy).toMatchObject({
      metadata: { name: "limits", namespace: "edge" },
      spec: { wasm: [{ config: { controlPlane: { cluster: "httproute/edge/limits/rule/0" } } }] },
    });
    expect(HTTPRoute).toMatchObject({
      metadata: { name: "limits", namespace: "edge" },
      spec: { rules: [{ backendRefs: [{ name: "sluice", namespace: "plane", port: 8080 }] }] },
    });
    expect(ReferenceGrant).toMatchObject({ metadata: { namespace: "plane" }, spec: { from: [{ namespace: "edge" }] } });
  });

  it("render gateway needs no grant where Gateway and control plane share a namespace", async () => {
    expect(await printed("gateway --image r.example/f:1 --namespace sluice")).not.toHaveProperty("ReferenceGrant");
  });
});

/** Kinds in the order in which they are printed. */
const kindsOf = async (line: string): Promise<string[]> => Object.keys(await printed(line));

describe("the order in which a mesh is given what it needs", () => {
  const istio = "istio --image r.example/f:1 --service-entry";
  const gateway = "gateway --image r.example/f:1 --reload-on default/eg/http";
  const ofGateway = ["EnvoyProxy", "HTTPRoute", "BackendTrafficPolicy", "ReferenceGrant"];

  it.each([
    [istio, ["Deployment", "ServiceEntry"], ["WasmPlugin"]],
    [`${istio} --gateway gateway-api`, ["ConfigMap", "ServiceEntry"], ["WasmPlugin"]],
    [`${istio} --sidecar app=shop --namespace shop`, ["Deployment", "ServiceEntry"], ["WasmPlugin"]],
    [gateway, ofGateway, ["EnvoyExtensionPolicy", "EnvoyPatchPolicy"]],
  ])("render prints the proxies' environment before the filter, and each alone: %s", async (line, before, filter) => {
    expect(await kindsOf(line)).toEqual([...before, ...filter]);
    expect(await kindsOf(`${line} --only environment`)).toEqual(before);
    expect(await kindsOf(`${line} --only filter`)).toEqual(filter);
  });

  it("render istio and wasmplugin for an older Istio deny once the filter has trapped", async () => {
    for (const command of ["istio", "wasmplugin"]) {
      const { WasmPlugin } = await printed(`${command} --image r.example/f:1 --fail-strategy close`);
      expect(WasmPlugin).toMatchObject({ spec: { failStrategy: "FAIL_CLOSE" } });
      const { WasmPlugin: reloads } = await printed(`${command} --image r.example/f:1`);
      expect(reloads).toMatchObject({ spec: { failStrategy: "FAIL_RELOAD" } });
    }
  });
});

describe("what sluice render does not take", () => {
  it.each([
    ["kubernetes --image r.example/s:1 --replicas 3", "--replicas goes with --store shared"],
    ["kubernetes --image oci://r.example/s:1", "--image: expected an image's reference without a digest"],
    ["kubernetes --image r.example/s:1 --image-digest abc", "--image-digest: expected 64 hex digits"],
    ["kubernetes --image r.example/s:1 --namespace A", "--namespace: expected up to 63"],
    ["istio --image r.example/f:1 --sidecar app --namespace a", "--sidecar: expected KEY=VALUE"],
    ["istio --image r.example/f:1 --sidecar app=a", "--sidecar needs --namespace"],
    ["istio --image r.example/f:1 --only secret", "--only: expected environment or filter"],
    ["istio --image r.example/f:1 --fail-strategy open", "--fail-strategy: expected reload or close"],
    ["istio --image r.example/f:1 --sidecar app=a --gateway injected", "--sidecar says which pods"],
    ["gateway", "say either --image or --url"],
    ["gateway --image r.example/f:1 --url http://a/b", "say either --image or --url"],
    ["gateway --url http://a/b --image-pull-secret s", "--image-pull-secret goes with --image"],
    ["gateway --url a/b", "--url: expected an address"],
  ])("render prints nothing for names that a cluster would not take: %s", async (line, message) => {
    const ran = await run(`render ${line}`);
    expect(ran).toMatchObject({ code: 2, out: "" });
    expect(ran.err).toContain(message);
  });
});
