// The command that prints the WasmPlugin of Istio: the filter's image, its settings, and whom it selects.
import { edgeSettings } from "../../../render/edge-settings.js";
import { NAMESPACE } from "../../../render/kubernetes/names.js";
import { outboundCluster, wasmPlugin, type WasmPlugin } from "../../../render/mesh/wasm-plugin.js";
import type { Invocation, LocalCommand } from "../../command.js";
import { done, failed, usageFailure } from "../../failure.js";
import type { Outcome } from "../../failure.js";
import {
  FAIL_STRATEGY_OPTIONS,
  failStrategyOf,
  imageViolation,
  isDigest,
  namesViolation,
  PLANE_NAMESPACE_OPTIONS,
} from "./kubernetes-options.js";
import { namedViolation, NOTHING_ASKED, readChoices, readLabels, SETTINGS_OPTIONS } from "./render-options.js";
import { print } from "./render-print.js";

const DEFAULT_NAME = "sluice";
const DEFAULT_NAMESPACE = "istio-system";
const DEFAULT_SELECTOR = "istio=ingressgateway";

export const renderWasmPlugin: LocalCommand = {
  name: "render wasmplugin",
  summary: "print the WasmPlugin that puts the filter into a gateway of Istio",
  args: [],
  options: {
    image: { kind: "text", value: "REF", required: true, what: "the filter's OCI image, with its registry and tag" },
    sha256: { kind: "text", value: "DIGEST", what: "of the image's manifest, 64 hex digits: nothing else is taken" },
    selector: { kind: "text", value: "KEY=VALUE", what: "labels of the gateway's pods (istio=ingressgateway)" },
    name: { kind: "text", value: "NAME", what: "of the WasmPlugin (sluice)" },
    namespace: { kind: "text", value: "NAME", what: "the gateway's, where the WasmPlugin stands (istio-system)" },
    ...PLANE_NAMESPACE_OPTIONS,
    ...FAIL_STRATEGY_OPTIONS,
    ...SETTINGS_OPTIONS,
  },
  notes: [NOTHING_ASKED, "The cluster is Istio's own for the control plane's Service, unless --cluster names another."],
  example: "render wasmplugin --image registry.example/sluice-filter:0.1.0",
  next: "kubectl apply -f wasmplugin.yaml   once the gateway's pods have SLUICE_SECRET in their environment",
  runLocally: async (invocation) => {
    const targeted = readTarget(invocation);
    if (!targeted.ok) return targeted.failure;
    const choices = await readChoices(invocation);
    if (!choices.ok) return choices.failure;
    const { planeNamespace, ...target } = targeted.value;
    const cluster = choices.value.cluster ?? outboundCluster(planeNamespace);
    print(invocation, wasmPlugin({ ...target, settings: edgeSettings({ ...choices.value, cluster }) }));
    return undefined;
  },
};

interface Target extends Omit<WasmPlugin, "settings"> {
  /** Of the control plane's Service. */
  readonly planeNamespace: string;
}

function readTarget(invocation: Invocation): Outcome<Target> {
  const { text } = invocation;
  const [image, sha256] = [text("image") ?? "", text("sha256")];
  const violation =
    imageViolation(image) ??
    namedViolation("sha256", sha256, isDigest, "64 hex digits, in lower case") ??
    namesViolation(invocation, "name", "namespace", "control-plane-namespace");
  if (violation !== undefined) return failed(usageFailure(violation));
  const selector = readLabels("selector", text("selector") ?? DEFAULT_SELECTOR);
  if (!selector.ok) return selector;
  return done({
    ...{ name: text("name") ?? DEFAULT_NAME, namespace: text("namespace") ?? DEFAULT_NAMESPACE, image, sha256 },
    failStrategy: failStrategyOf(invocation),
    ...{ planeNamespace: text("control-plane-namespace") ?? NAMESPACE, selector: selector.value },
  });
}
