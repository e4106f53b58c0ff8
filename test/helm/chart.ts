// The chart's parts as the tests read them: its values, its table of values, and what Helm made of each.
import { parse, parseAllDocuments } from "yaml";
import { valuesNames } from "../../scripts/chart/chart-files.js";
import { goldenOf } from "../../scripts/chart/golden.js";
import { textOf } from "../unit/docs.js";

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
  readonly envFrom?: readonly { readonly secretRef: { readonly name: string } }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly securityContext?: object;
  readonly resources?: object;
}

export interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>>; readonly annotations?: object };
  readonly spec: {
    readonly containers: readonly Container[];
    readonly volumes?: readonly { readonly name: string }[];
    readonly securityContext?: object;
    readonly automountServiceAccountToken?: boolean;
    readonly terminationGracePeriodSeconds?: number;
  };
}

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec: Readonly<Record<string, unknown>> & {
    readonly replicas?: number;
    readonly template?: PodTemplate;
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  };
}

export type Values = Readonly<Record<string, unknown>>;

export interface BadValues {
  readonly name: string;
  /** The place that the schema names; undefined: the chart itself says `says`. */
  readonly at?: string;
  readonly says?: string;
  /** The release's name, where it is that which is bad. */
  readonly release?: string;
  readonly values: Values;
}

export const NAMES = valuesNames();
export const badValues = (): BadValues[] => parse(textOf("test/helm/bad-values.yaml")) as BadValues[];

/** @throws Error if it was never recorded */
export function goldenManifests(name: string): Manifest[] {
  const golden = goldenOf(name);
  if (golden === undefined) throw new Error(`${name} has no golden file: npm run chart -- --write`);
  return manifestsIn(golden.documents);
}

export const manifestsIn = (text: string): Manifest[] =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);

export function theOne(kind: string, manifests: readonly Manifest[], name?: string): Manifest {
  const found = manifests.filter((one) => one.kind === kind && (name === undefined || one.metadata.name === name));
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`${found.length} of ${kind} ${name ?? ""}`);
  return only;
}

export const workloadIn = (manifests: readonly Manifest[]): Manifest =>
  theOne(manifests.some(({ kind }) => kind === "StatefulSet") ? "StatefulSet" : "Deployment", manifests);

export function podIn(manifests: readonly Manifest[]): PodTemplate {
  const { template } = workloadIn(manifests).spec;
  if (template === undefined) throw new Error("it has no template");
  return template;
}

/** As Helm does it: maps are merged, everything else is replaced. */
export function merged(base: Values, over: Values): Values {
  const entries = Object.entries(over).map(([key, value]) => {
    const before = base[key];
    return [key, isMap(before) && isMap(value) ? merged(before, value) : value] as const;
  });
  return { ...base, ...Object.fromEntries(entries) };
}

export const isMap = (value: unknown): value is Values =>
  typeof value === "object" && value !== null && !Array.isArray(value);
