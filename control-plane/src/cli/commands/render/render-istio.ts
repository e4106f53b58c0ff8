// The command that prints all that proxies of Istio need to have the filter, for a gateway or for sidecars.
import { edgeSettings } from "../../../render/edge-settings.js";
import { NAMESPACE } from "../../../render/kubernetes/names.js";
import { istioInstallation, type IstioInstallation, type ProxyKind } from "../../../render/mesh/istio.js";
import { outboundCluster } from "../../../render/mesh/wasm-plugin.js";
import type { Invocation, LocalCommand } from "../../command.js";
import { done, failed, usageFailure } from "../../failure.js";
import type { Outcome } from "../../failure.js";
import {
  FAIL_STRATEGY_OPTIONS,
  failStrategyOf,
  FILTER_IMAGE_OPTIONS,
  imageViolation,
  namesViolation,
  PART_OPTIONS,
  partOf,
  PLANE_NAMESPACE_OPTIONS,
  readDigest,
} from "./kubernetes-options.js";
import { NOTHING_ASKED, readChoices, readLabels, SETTINGS_OPTIONS } from "./render-options.js";
import { printManifests } from "./render-print.js";

const INGRESS = "istio-ingressgateway";
const GATEWAY_NAME_LABEL = "gateway.networking.k8s.io/gateway-name";

export const renderIstio: LocalCommand = {
  name: "render istio",
  summary: "print what proxies of Istio need to have the filter: their environment and the WasmPlugin",
  args: [],
  options: {
    image: { kind: "text", value: "REF", required: true, what: "the filter's OCI image, with its registry and tag" },
    ...FILTER_IMAGE_OPTIONS,
    gateway: {
      kind: "text",
      value: "KIND",
      values: ["injected", "gateway-api"],
      what: "a gateway: a Deployment with an injected proxy (the default), or a Gateway of the Gateway API",
    },
    sidecar: {
      kind: "text",
      value: "KEY=VALUE",
      what: "no gateway, but sidecars: labels of the service's pods; with --namespace",
    },
    workload: {
      kind: "text",
      value: "NAME",
      what: `the Deployment or Gateway (${INGRESS}; of sidecars the first label's value)`,
    },
    selector: { kind: "text", value: "KEY=VALUE", what: "labels of the gateway's pods (istio=ingressgateway)" },
    name: { kind: "text", value: "NAME", what: "of the WasmPlugin (sluice)" },
    namespace: { kind: "text", value: "NAME", what: "of the proxies, where all of this stands (istio-system)" },
    ...PLANE_NAMESPACE_OPTIONS,
    ...PART_OPTIONS,
    ...FAIL_STRATEGY_OPTIONS,
    "service-entry": { kind: "flag", what: "also a ServiceEntry, for proxies from which Istio hides the Service" },
    ...SETTINGS_OPTIONS,
  },
  notes: [
    NOTHING_ASKED,
    "The Deployment printed is a part, to be merged into yours: apply it with --server-side.",
    "The Secret sluice must stand in the namespace of the proxies.",
    "At a gateway that serves: --only environment first, its rollout, then --only filter. Without the secret all gets 500.",
  ],
  example: "render istio --image registry.example/sluice-filter:0.1.0 --sidecar app=shop --namespace shop",
  next: "kubectl apply --server-side -f istio.yaml   of --only environment first, and of --only filter once it is rolled out",
  runLocally: async (invocation) => {
    const target = readTarget(invocation);
    if (!target.ok) return target.failure;
    const choices = await readChoices(invocation);
    if (!choices.ok) return choices.failure;
    const planeNamespace = invocation.text("control-plane-namespace") ?? NAMESPACE;
    const settings = edgeSettings({
      ...choices.value,
      cluster: choices.value.cluster ?? outboundCluster(planeNamespace),
    });
    const shownFrom = invocation.flag("service-entry") ? planeNamespace : undefined;
    const installation = { ...target.value, shownFrom, failStrategy: failStrategyOf(invocation), settings };
    printManifests(invocation, istioInstallation(installation, partOf(invocation)));
    return undefined;
  },
};

type Target = Omit<IstioInstallation, "settings" | "shownFrom" | "failStrategy">;

function readTarget(invocation: Invocation): Outcome<Target> {
  const { text } = invocation;
  const image = text("image") ?? "";
  const violation =
    imageViolation(image) ??
    namesViolation(invocation, "name", "namespace", "control-plane-namespace", "workload", "image-pull-secret");
  if (violation !== undefined) return failed(usageFailure(violation));
  const [digest, proxies] = [readDigest(invocation), readProxies(invocation)];
  if (!digest.ok) return digest;
  if (!proxies.ok) return proxies;
  return done({
    ...{ name: text("name") ?? "sluice", namespace: text("namespace") ?? "istio-system", image },
    ...{ sha256: digest.value, pullSecret: text("image-pull-secret"), ...proxies.value },
  });
}

/** Which pods, and whose. */
function readProxies({ text }: Invocation): Outcome<Pick<Target, "kind" | "selector" | "workload">> {
  const [sidecar, gateway, selector] = [text("sidecar"), text("gateway"), text("selector")];
  if (sidecar !== undefined) {
    if ((gateway ?? selector) !== undefined) {
      return failed(usageFailure("--sidecar says which pods: it goes with neither --gateway nor --selector"));
    }
    if (text("namespace") === undefined) {
      return failed(usageFailure("--sidecar needs --namespace: in Istio's root namespace it would select pods of all"));
    }
    const labels = readLabels("sidecar", sidecar);
    if (!labels.ok) return labels;
    return done({ kind: "sidecar", selector: labels.value, workload: text("workload") ?? firstOf(labels.value) });
  }
  const kind: ProxyKind = gateway === "gateway-api" ? "gateway-api" : "injected";
  const workload = text("workload") ?? INGRESS;
  const known = kind === "injected" ? "istio=ingressgateway" : `${GATEWAY_NAME_LABEL}=${workload}`;
  const labels = readLabels("selector", selector ?? known);
  return labels.ok ? done({ kind, selector: labels.value, workload }) : labels;
}

const firstOf = (labels: Readonly<Record<string, string>>): string => Object.values(labels)[0] ?? "";
