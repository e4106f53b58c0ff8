// What a Gateway of Envoy Gateway needs to have the filter: the filter itself, the secret in the proxies' environment, and
// a cluster for the filter's calls, which Envoy Gateway makes of a route only.
import { ENV_SECRET, ENV_SECRET_ALSO } from "../../../../assembly/contract.js";
import type { EdgeSettings } from "../edge-settings.js";
import { NAME, proxyEnvironment, SERVICE_PORT } from "../kubernetes/names.js";
import { FILTER_NAME } from "../wasm-filter.js";
import { inOrder, type Part } from "./parts.js";

export interface EnvoyGatewayInstallation {
  /** Of everything here. */
  readonly name: string;
  /** The Gateway's, where all but the ReferenceGrant stands. */
  readonly namespace: string;
  /** The Gateway whose routes have the filter. */
  readonly gateway: string;
  readonly code: FilterCode;
  /** Where the Service of the control plane is. */
  readonly planeNamespace: string;
  /** Name of a listener in Envoy: given, a patch makes a failed VM begin anew. */
  readonly reloadOn?: string | undefined;
  readonly settings: EdgeSettings;
}

/** An OCI image, or a file over HTTP. */
export interface FilterCode {
  readonly image?: string | undefined;
  readonly url?: string | undefined;
  /** Of an image's manifest, or of the file: 64 hex digits. */
  readonly sha256?: string | undefined;
  /** A Secret in the Gateway's namespace, for a registry that wants to know who asks. */
  readonly pullSecret?: string | undefined;
}

const EG_VERSION = "gateway.envoyproxy.io/v1alpha1";
const API_GROUP = "gateway.networking.k8s.io";
/** No text has a character that is neither a blank nor anything else. */
const NEVER = "[^\\s\\S]";

/** The cluster that Envoy Gateway makes of the route below. */
export const routeCluster = (namespace: string, name: string): string => `httproute/${namespace}/${name}/rule/0`;

/** Manifests, the filter last. @param only one part of them */
export function envoyGatewayInstallation(installation: EnvoyGatewayInstallation, only?: Part): object[] {
  const { reloadOn, namespace, planeNamespace } = installation;
  const environment = [
    proxySettings(installation),
    callRoute(installation),
    callSettings(installation),
    ...(namespace === planeNamespace ? [] : [referenceGrant(installation)]),
  ];
  // The patch changes the filter in its listener: before there is one, it has nothing to change.
  const patch = reloadOn === undefined ? [] : [reloadPatch(installation, reloadOn)];
  return inOrder({ environment, filter: [extensionPolicy(installation), ...patch] }, only);
}

type Installation = EnvoyGatewayInstallation;
const metadata = ({ name, namespace }: Installation): object => ({ name, namespace });
const gatewayRef = ({ gateway }: Installation): object => ({ group: API_GROUP, kind: "Gateway", name: gateway });

function extensionPolicy(installation: Installation): object {
  const { code, settings } = installation;
  return {
    apiVersion: EG_VERSION,
    kind: "EnvoyExtensionPolicy",
    metadata: metadata(installation),
    spec: {
      targetRefs: [gatewayRef(installation)],
      wasm: [
        {
          name: FILTER_NAME,
          rootID: FILTER_NAME,
          code: codeSource(code),
          // From the proxies' own environment, so that no secret is in here. The second one is for a rotation.
          env: { hostKeys: [ENV_SECRET, ENV_SECRET_ALSO] },
          // Without the filter nobody passes: no limit is worse than no answer.
          failOpen: false,
          config: settings,
        },
      ],
    },
  };
}

function codeSource({ image, url, sha256, pullSecret }: FilterCode): object {
  const digest = sha256 === undefined ? {} : { sha256 };
  if (image === undefined) return { type: "HTTP", http: { url, ...digest } };
  const secret = pullSecret === undefined ? {} : { pullSecretRef: { kind: "Secret", name: pullSecret } };
  return { type: "Image", image: { url: image, ...digest, ...secret } };
}

/** Named by the Gateway's `spec.infrastructure.parametersRef`. The Secret is of the namespace where the proxies run. */
const proxySettings = (installation: Installation): object => ({
  apiVersion: EG_VERSION,
  kind: "EnvoyProxy",
  metadata: metadata(installation),
  spec: {
    provider: {
      type: "Kubernetes",
      kubernetes: { envoyDeployment: { container: { env: proxyEnvironment() } } },
    },
  },
});

/** A route that no request takes, so that there is its cluster. No host name: it fits every listener of the Gateway. */
const callRoute = (installation: Installation): object => ({
  apiVersion: `${API_GROUP}/v1`,
  kind: "HTTPRoute",
  metadata: metadata(installation),
  spec: {
    parentRefs: [gatewayRef(installation)],
    rules: [
      {
        matches: [{ headers: [{ type: "RegularExpression", name: "x-sluice-calls", value: NEVER }] }],
        backendRefs: [{ name: NAME, namespace: installation.planeNamespace, port: SERVICE_PORT }],
      },
    ],
  },
});

/** Of that cluster. By the Service's address it stays where no pod is ready; by its endpoints Envoy Gateway drops it. */
const callSettings = (installation: Installation): object => ({
  apiVersion: EG_VERSION,
  kind: "BackendTrafficPolicy",
  metadata: metadata(installation),
  spec: {
    targetRefs: [{ group: API_GROUP, kind: "HTTPRoute", name: installation.name }],
    routingType: "Service",
    // So that Envoy notices a control plane that vanished while a watch was held.
    tcpKeepalive: { probes: 3, idleTime: "10s", interval: "5s" },
  },
});

const referenceGrant = ({ name, namespace, planeNamespace }: Installation): object => ({
  apiVersion: `${API_GROUP}/v1beta1`,
  kind: "ReferenceGrant",
  metadata: { name, namespace: planeNamespace },
  spec: {
    from: [{ group: API_GROUP, kind: "HTTPRoute", namespace }],
    to: [{ group: "", kind: "Service", name: NAME }],
  },
});

/** EnvoyExtensionPolicy has no word for it: by itself a VM that failed answers 503 from then on. */
const reloadPatch = (installation: Installation, listener: string): object => ({
  apiVersion: EG_VERSION,
  kind: "EnvoyPatchPolicy",
  metadata: metadata(installation),
  spec: {
    targetRef: gatewayRef(installation),
    type: "JSONPatch",
    jsonPatches: [
      {
        type: "type.googleapis.com/envoy.config.listener.v3.Listener",
        name: listener,
        operation: {
          op: "add",
          jsonPath: `..http_filters[?(@.typed_config.config.root_id=='${FILTER_NAME}')].typed_config.config`,
          path: "/failure_policy",
          value: "FAIL_RELOAD",
        },
      },
    ],
  },
});

/** What Envoy Gateway calls the filter in Envoy; without the first part, the VM and thereby the session table. */
export const filterName = ({ namespace, name }: Pick<Installation, "namespace" | "name">): string =>
  `envoy.filters.http.wasm/envoyextensionpolicy/${namespace}/${name}/wasm/0`;
