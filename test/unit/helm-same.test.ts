// The chart and `sluice render` are two roads to the same installation: with the same names they make the same objects.
import { expect, it } from "vitest";
import { parse } from "yaml";
import { edgeSettings } from "../../control-plane/src/render/edge-settings.js";
import { kubernetesInstallation } from "../../control-plane/src/render/kubernetes/installation.js";
import { envoyGatewayInstallation, routeCluster } from "../../control-plane/src/render/mesh/envoy-gateway.js";
import { istioInstallation } from "../../control-plane/src/render/mesh/istio.js";
import { outboundCluster } from "../../control-plane/src/render/mesh/wasm-plugin.js";
import { goldenManifests, isMap, type Manifest } from "../helm/chart.js";
import { textOf } from "./docs.js";

/** Labels by which Helm knows its own, and which make no difference to Kubernetes. */
const OF_HELM = ["app.kubernetes.io/managed-by", "helm.sh/chart"];

/** By kind and name, without what a comparison passes over; documents in text are read. */
function objects(manifests: readonly object[]): Record<string, unknown> {
  const named = (manifests as readonly Manifest[]).map((manifest) => {
    const { metadata } = manifest;
    return [`${manifest.kind} ${metadata.namespace ?? ""}/${metadata.name}`, comparable(manifest)] as const;
  });
  return Object.fromEntries(named);
}

function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (!isMap(value)) return typeof value === "string" && value.includes("\n") ? (parse(value) as unknown) : value;
  const kept = Object.entries(value).filter(([key]) => !OF_HELM.includes(key));
  return Object.fromEntries(kept.map(([key, inner]) => [key, comparable(inner)]));
}

/** The labels of what stands in a mesh are the chart's own: `sluice render` sets none there. */
const unlabelled = (manifests: readonly Manifest[]): object[] =>
  manifests.map((manifest) => {
    const { name, namespace } = manifest.metadata;
    return { ...manifest, metadata: { name, namespace } };
  });

const image = "registry.example/sluice:0.1.0";
const filterImage = "registry.example/sluice-filter:0.1.0";
const policy = textOf("policy.yaml");
/** Helm makes it, or the operator: an installation that is taken away must not take a namespace with it. */
const withoutNamespace = (manifests: readonly object[]): object[] =>
  (manifests as readonly Manifest[]).filter(({ kind }) => kind !== "Namespace");

it("the chart by itself makes what sluice render kubernetes prints", () => {
  const printed = withoutNamespace(kubernetesInstallation({ store: "folder", image, policy }));
  expect(printed.length).toBeGreaterThan(5);
  expect(objects(goldenManifests("default"))).toEqual(objects(printed));
});

it("the chart over a shared store makes what sluice render prints, and keeps pods apart", () => {
  const printed = withoutNamespace(kubernetesInstallation({ store: "shared", image, policy }));
  const made = goldenManifests("shared");
  const deployment = made.find(({ kind }) => kind === "Deployment");
  const spec = deployment?.spec.template?.spec as { affinity?: unknown } | undefined;
  expect(spec?.affinity).toBeDefined();
  delete spec?.affinity;
  expect(objects(made)).toEqual(objects(printed));
});

/** What an entry of the table makes beside the control plane. */
function ofTheMesh(name: string): object[] {
  const plane = new Set(Object.keys(objects(goldenManifests("default"))));
  return unlabelled(goldenManifests(name)).filter((manifest) => !plane.has(Object.keys(objects([manifest]))[0] ?? ""));
}

const settingsFor = (cluster: string) => edgeSettings({ cluster });
const ofIstio = { name: "sluice", namespace: "istio-system", workload: "istio-ingressgateway", image: filterImage };
const settings = settingsFor(outboundCluster("sluice"));

it("the chart at Istio's ingress gateway makes the WasmPlugin that sluice render istio prints", () => {
  const selector = { istio: "ingressgateway" };
  const [plugin = {}] = istioInstallation({ ...ofIstio, kind: "injected", selector, settings }, "filter");
  expect(objects(ofTheMesh("istio"))).toEqual(objects([plugin]));
});

it("the chart at a Gateway of the Gateway API makes all that sluice render istio prints", () => {
  const selector = { "gateway.networking.k8s.io/gateway-name": "istio-ingressgateway" };
  const printed = istioInstallation({ ...ofIstio, kind: "gateway-api", selector, shownFrom: "sluice", settings });
  expect(printed).toHaveLength(3);
  expect(objects(ofTheMesh("istio-gateway-api"))).toEqual(objects(printed));
});

it("the chart at sidecars makes the WasmPlugin that sluice render istio prints", () => {
  const shop = { namespace: "shop", workload: "shop", selector: { app: "shop" } };
  const [plugin = {}] = istioInstallation({ ...ofIstio, ...shop, kind: "sidecar", settings }, "filter");
  expect(objects(ofTheMesh("istio-sidecar"))).toEqual(objects([plugin]));
});

it("the chart at Envoy Gateway makes all that sluice render gateway prints", () => {
  const place = { name: "sluice", namespace: "default", gateway: "eg", planeNamespace: "sluice" };
  const cluster = routeCluster("default", "sluice");
  const installation = { ...place, code: { image: filterImage }, settings: settingsFor(cluster) };
  const printed = envoyGatewayInstallation(installation);
  expect(printed.length).toBeGreaterThan(4);
  expect(objects(ofTheMesh("envoy-gateway"))).toEqual(objects(printed));
});

it("a patch for a failed filter at Envoy Gateway is the one that sluice render gateway prints", () => {
  const place = { name: "limits", namespace: "sluice", gateway: "public", planeNamespace: "sluice" };
  const code = { image: filterImage, sha256: "fedcba9876543210".repeat(4), pullSecret: "registry-login" };
  const [cluster, reloadOn] = [routeCluster("sluice", "limits"), "sluice/public/https"];
  const printed = objects(envoyGatewayInstallation({ ...place, code, reloadOn, settings: settingsFor(cluster) }));
  const made = objects(ofTheMesh("envoy-gateway-pinned"));
  for (const object of ["EnvoyPatchPolicy sluice/limits", "EnvoyExtensionPolicy sluice/limits"]) {
    expect(made[object]).toEqual(printed[object]);
  }
  expect(Object.keys(made)).toEqual(expect.arrayContaining(Object.keys(printed)));
  expect(Object.keys(made)).toHaveLength(Object.keys(printed).length);
});
