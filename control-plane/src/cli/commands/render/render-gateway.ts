// The command that prints all that a Gateway of Envoy Gateway needs to have the filter.
import { edgeSettings } from "../../../render/edge-settings.js";
import { NAMESPACE } from "../../../render/kubernetes/names.js";
import { envoyGatewayInstallation, type FilterCode, routeCluster } from "../../../render/mesh/envoy-gateway.js";
import type { Invocation, LocalCommand } from "../../command.js";
import { done, failed, usageFailure } from "../../failure.js";
import type { Outcome } from "../../failure.js";
import {
  FILTER_IMAGE_OPTIONS,
  imageViolation,
  namesViolation,
  PART_OPTIONS,
  partOf,
  PLANE_NAMESPACE_OPTIONS,
  readDigest,
} from "./kubernetes-options.js";
import { namedViolation, NOTHING_ASKED, readChoices, SETTINGS_OPTIONS } from "./render-options.js";
import { printManifests } from "./render-print.js";

export const renderGateway: LocalCommand = {
  name: "render gateway",
  summary: "print what a Gateway of Envoy Gateway needs to have the filter",
  args: [],
  options: {
    image: { kind: "text", value: "REF", what: "the filter's OCI image, with its registry and tag" },
    url: { kind: "text", value: "URL", what: "in place of the image: the filter's file over HTTP" },
    ...FILTER_IMAGE_OPTIONS,
    gateway: { kind: "text", value: "NAME", what: "the Gateway whose routes are limited (eg)" },
    namespace: { kind: "text", value: "NAME", what: "the Gateway's, where all of this stands (default)" },
    name: { kind: "text", value: "NAME", what: "of all that is printed (sluice)" },
    ...PLANE_NAMESPACE_OPTIONS,
    ...PART_OPTIONS,
    "reload-on": {
      kind: "text",
      value: "LISTENER",
      what: "also a patch, so that a failed filter begins anew: the listener's name in Envoy (default/eg/http)",
    },
    ...SETTINGS_OPTIONS,
  },
  notes: [
    NOTHING_ASKED,
    "The cluster is the one that Envoy Gateway makes of the HTTPRoute printed, unless --cluster names another.",
    "With --url, --image-digest is the sha256 of the file.",
    "The Secret sluice must stand in the namespace where Envoy Gateway runs its proxies (envoy-gateway-system).",
    "At a Gateway that serves: --only environment first, its rollout, then --only filter. Without the secret all gets 5xx.",
  ],
  example: "render gateway --image registry.example/sluice-filter:0.1.0",
  next: "kubectl apply -f gateway.yaml   of --only environment first; name its EnvoyProxy in the Gateway's parametersRef",
  runLocally: async (invocation) => {
    const { text } = invocation;
    const code = readCode(invocation);
    if (!code.ok) return code.failure;
    const choices = await readChoices(invocation);
    if (!choices.ok) return choices.failure;
    const [name, namespace] = [text("name") ?? "sluice", text("namespace") ?? "default"];
    const cluster = choices.value.cluster ?? routeCluster(namespace, name);
    const installation = {
      ...{ name, namespace, gateway: text("gateway") ?? "eg", code: code.value, reloadOn: text("reload-on") },
      ...{ planeNamespace: text("control-plane-namespace") ?? NAMESPACE },
      settings: edgeSettings({ ...choices.value, cluster }),
    };
    printManifests(invocation, envoyGatewayInstallation(installation, partOf(invocation)));
    return undefined;
  },
};

function readCode(invocation: Invocation): Outcome<FilterCode> {
  const { text } = invocation;
  const [image, url, pullSecret] = [text("image"), text("url"), text("image-pull-secret")];
  const violation =
    ((image === undefined) === (url === undefined) ? "say either --image or --url" : undefined) ??
    (url !== undefined && pullSecret !== undefined ? "--image-pull-secret goes with --image" : undefined) ??
    imageViolation(image) ??
    namedViolation("url", url, isUrl, "an address such as http://files.example/sluice.wasm") ??
    namedViolation("reload-on", text("reload-on"), isListener, "visible ASCII characters") ??
    namesViolation(invocation, "name", "namespace", "gateway", "control-plane-namespace", "image-pull-secret");
  if (violation !== undefined) return failed(usageFailure(violation));
  const digest = readDigest(invocation);
  return digest.ok ? done({ image, url, sha256: digest.value, pullSecret }) : digest;
}

const isUrl = (text: string): boolean => /^https?:\/\/[\x21-\x7e]+$/.test(text);
const isListener = (name: string): boolean => /^[\x21-\x7e]+$/.test(name);
