// Manifests of this project as values: the files below envoy/, and what `sluice render` and Helm print.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: unknown;
}

/** The resources of a YAML text; a document that is none, as a patch or Helm's values, is left out. */
export const manifestsOf = (text: string): Manifest[] =>
  parseAllDocuments(text).flatMap((document) => {
    const value = document.toJS() as Partial<Manifest> | null;
    if (value?.apiVersion === undefined || value.kind === undefined) return [];
    const manifest = value as Manifest;
    sources.set(manifest, document.toString({ directives: false }));
    return [manifest];
  });

const sources = new WeakMap<Manifest, string>();

/**
 * A manifest for kubectl: where it was read, as it was written, for Kubernetes reads YAML in its own way (an unquoted `yes` is
 * true); else JSON.
 */
export const documentOf = (manifest: Manifest): string => `---\n${sources.get(manifest) ?? JSON.stringify(manifest)}\n`;

/** Every YAML file below a folder, or the file itself; none where there is no such folder. */
export function yamlFiles(path: string): string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (stat.isFile()) return [path];
  const names = readdirSync(path, { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => name.endsWith(".yaml"))
    .sort()
    .map((name) => join(path, name));
}

/** What the API server does not know by itself, nor by the definitions that are applied: it is not applied. */
const isKustomization = ({ apiVersion }: Manifest): boolean => apiVersion.startsWith("kustomize.config.k8s.io/");

export const resourcesOfFile = (file: string): Manifest[] =>
  manifestsOf(readFileSync(file, "utf8")).filter((one) => !isKustomization(one));

interface PodTemplate {
  readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  readonly template: {
    readonly metadata?: { readonly labels?: object };
    readonly spec: { readonly volumes?: readonly object[] };
  };
}

const WORKLOADS = ["Deployment", "StatefulSet", "DaemonSet"];

/** The pods that a controller would make of these workloads. */
export function podsOf(manifests: readonly Manifest[], namespace: string): Manifest[] {
  return manifests
    .filter(({ kind, spec }) => WORKLOADS.includes(kind) && "selector" in (spec as object))
    .map(({ metadata, spec }) => {
      const { template, volumeClaimTemplates = [] } = spec as PodTemplate;
      const claims = volumeClaimTemplates.map((claim) => claim.metadata.name);
      const claimed = claims.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
      return {
        ...{ apiVersion: "v1", kind: "Pod" },
        metadata: { ...template.metadata, name: `${metadata.name}-0`, namespace: metadata.namespace ?? namespace },
        spec: { ...template.spec, volumes: [...(template.spec.volumes ?? []), ...claimed] },
      };
    });
}
