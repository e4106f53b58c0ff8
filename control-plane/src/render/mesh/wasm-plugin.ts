// Istio's way of putting the filter into a proxy: a WasmPlugin, with the edge settings as its plugin configuration.
import { ENV_SECRET, ENV_SECRET_ALSO } from "../../../../assembly/contract.js";
import type { EdgeSettings } from "../edge-settings.js";
import { SERVICE_PORT, serviceHost } from "../kubernetes/names.js";
import { FILTER_NAME } from "../wasm-filter.js";

export interface WasmPlugin {
  readonly name: string;
  /** Of the plugin: it reaches the pods of this namespace only, or of all if it is the mesh's root namespace. */
  readonly namespace: string;
  /** Reference of the OCI image, without `oci://`. */
  readonly image: string;
  /** Of the image's manifest, 64 hex digits. */
  readonly sha256?: string | undefined;
  /** A Secret in the plugin's namespace, for a registry that wants to know who asks. */
  readonly pullSecret?: string | undefined;
  /** Labels of the pods. None: every pod that the namespace reaches. */
  readonly selector: Readonly<Record<string, string>>;
  /** Of a sidecar: only what others ask of its service, not what the service asks of others. */
  readonly inboundOnly?: boolean | undefined;
  /** What Envoy does once the filter has trapped: begins anew (Istio 1.27), or answers 503 from then on. */
  readonly failStrategy?: FailStrategy | undefined;
  readonly settings: EdgeSettings;
}

/** None lets requests pass without the filter. */
export type FailStrategy = "FAIL_RELOAD" | "FAIL_CLOSE";

/** The cluster that Istio makes of the control plane's Service in this namespace. */
export const outboundCluster = (namespace: string): string => `outbound|${SERVICE_PORT}||${serviceHost(namespace)}`;

export function wasmPlugin(plugin: WasmPlugin): object {
  const { name, namespace, image, sha256, pullSecret, selector, inboundOnly = false, failStrategy, settings } = plugin;
  return {
    apiVersion: "extensions.istio.io/v1alpha1",
    kind: "WasmPlugin",
    metadata: { name, namespace },
    spec: {
      ...(Object.keys(selector).length === 0 ? {} : { selector: { matchLabels: selector } }),
      ...(inboundOnly ? { match: [{ mode: "SERVER" }] } : {}),
      url: `oci://${image}`,
      // Istio checks it against the manifest's digest, as it does with one in the reference.
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(pullSecret === undefined ? {} : { imagePullSecret: pullSecret }),
      // Behind authentication and authorization: what those deny spends nothing.
      phase: "STATS",
      pluginName: FILTER_NAME,
      failStrategy: failStrategy ?? "FAIL_RELOAD",
      vmConfig: {
        // From the proxy's own environment, so that no secret is in here. The second one is for a rotation.
        env: [ENV_SECRET, ENV_SECRET_ALSO].map((variable) => ({ name: variable, valueFrom: "HOST" })),
      },
      pluginConfig: settings,
    },
  };
}
