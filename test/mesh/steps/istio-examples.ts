// The files of envoy/istio as the step applies them: as they stand, but for the place of the image.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { projectRoot } from "../../../scripts/project-root.js";
import { REGISTRY } from "../parts/registry.js";

/** Of the pods that the WasmPlugin selects. */
export const LABELS = { istio: "ingressgateway" };

interface WasmPlugin {
  readonly spec: Readonly<Record<string, unknown>>;
}

export const exampleText = (file: string): string => readFileSync(join(projectRoot, "envoy/istio", file), "utf8");

/** @param digest of the image's manifest; not given: the tag alone says which */
export function pluginWith(image: string, digest?: string): object {
  const plugin = parse(exampleText("wasmplugin.yaml")) as WasmPlugin;
  const sha256 = digest === undefined ? {} : { sha256: digest.replace("sha256:", "") };
  const code = { url: `oci://${REGISTRY}/${image}`, ...sha256 };
  return { ...plugin, spec: { ...plugin.spec, ...code } };
}

/** What injected-env.yaml puts on the gateway's pods. */
export function podAnnotations(): Readonly<Record<string, string>> {
  const patch = parse(exampleText("injected-env.yaml")) as {
    readonly spec: { readonly template: { readonly metadata: { readonly annotations: Record<string, string> } } };
  };
  return patch.spec.template.metadata.annotations;
}
