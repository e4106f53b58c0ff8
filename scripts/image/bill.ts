// Bills of materials (CycloneDX 1.5) of the two images, from what `npm sbom` says of the installed tree: the same tree, npm and
// modules make the same bytes, whatever the folder, the registry and the hour.
import { createHash } from "node:crypto";

export interface Component {
  readonly type: string;
  readonly name: string;
  readonly version?: string;
  readonly "bom-ref"?: string;
  readonly scope?: string;
  readonly purl?: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
  readonly externalReferences?: readonly { readonly type: string; readonly url: string }[];
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses?: readonly object[];
}

export interface Bill {
  readonly $schema?: string;
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly serialNumber?: string;
  readonly version: number;
  readonly metadata: { readonly timestamp?: string; readonly tools?: readonly object[]; readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

/** A file that an image carries. */
export interface CarriedFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/** What of other packages the compiler takes into the module: AssemblyScript's library and the declarations of the host's calls. */
const IN_THE_MODULE = ["@solo-io/proxy-runtime", "assemblyscript"];

/**
 * What the packages of these names need, and what that needs. `npm sbom --omit=dev` itself leaves out a package that runs if one
 * that only builds needs it too.
 * @param tree of `npm sbom`, with what only builds
 * @param running the names of the project's own dependencies
 * @param time of the release, RFC 3339; undefined: the bill has none
 */
export function controlPlaneBill(tree: Bill, running: readonly string[], time: string | undefined): Bill {
  const own = ownComponent(tree, "sluice");
  const needs = new Map(tree.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn ?? []]));
  const named = new Map(tree.components.map((one) => [one["bom-ref"] ?? "", one]));
  const direct = (needs.get(own["bom-ref"] ?? "") ?? []).filter((ref) => running.includes(named.get(ref)?.name ?? ""));
  // A set is walked through with what is added meanwhile.
  const shipped = new Set(direct);
  for (const ref of shipped) for (const needed of needs.get(ref) ?? []) shipped.add(needed);
  const components = [...shipped].flatMap((ref) => named.get(ref) ?? []).map(asShipped);
  const missing = running.filter((name) => !components.some((one) => one.name === name));
  if (missing.length > 0) throw new Error(`npm sbom does not name ${missing.join(", ")}`);
  const dependencies = [
    { ref: own["bom-ref"] ?? "", dependsOn: direct.toSorted() },
    ...[...shipped].map((ref) => ({ ref, dependsOn: (needs.get(ref) ?? []).toSorted() })),
  ];
  return finished({ ...tree, metadata: { ...tree.metadata, component: own }, components, dependencies }, time);
}

/**
 * @param tree of `npm sbom`, with what only builds
 * @param builds the modules as they are shipped
 */
export function filterBill(tree: Bill, builds: readonly CarriedFile[], time: string | undefined): Bill {
  const own = ownComponent(tree, "sluice-filter");
  // Packages of others may need other versions of them.
  const direct = tree.dependencies.find(({ ref }) => ref === own["bom-ref"])?.dependsOn ?? [];
  const parts = tree.components
    .filter((one) => IN_THE_MODULE.includes(one.name) && direct.includes(one["bom-ref"] ?? ""))
    .map(asShipped);
  const missing = IN_THE_MODULE.filter((name) => !parts.some((part) => part.name === name));
  if (missing.length > 0) throw new Error(`npm sbom does not name ${missing.join(", ")}`);
  const files = builds.map(fileComponent);
  const dependsOn = [...parts, ...files].map((one) => one["bom-ref"] ?? "").toSorted();
  return finished(
    {
      ...tree,
      metadata: { ...tree.metadata, component: own },
      components: [...parts, ...files],
      dependencies: [{ ref: own["bom-ref"] ?? "", dependsOn }, ...dependsOn.map((ref) => ({ ref, dependsOn: [] }))],
    },
    time,
  );
}

/** npm names it after its folder, and would have it fetched from a registry that has it not: no purl. */
function ownComponent({ metadata }: Bill, name: string): Component {
  const { version = "", licenses = [] } = metadata.component;
  // Other components name it so.
  const ref = metadata.component["bom-ref"] ?? "";
  return { "bom-ref": ref, type: "application", name, version, licenses };
}

/** For the project it only builds; a part of it is in the module all the same. */
function asShipped(component: Component): Component {
  const properties = (component.properties ?? []).filter(({ name }) => name !== "cdx:npm:package:development");
  return { ...component, scope: "required", properties };
}

function fileComponent({ name, bytes }: CarriedFile): Component {
  const content = createHash("sha256").update(bytes).digest("hex");
  return { "bom-ref": `file:${name}`, type: "file", name, hashes: [{ alg: "SHA-256", content }] };
}

function finished(bill: Bill, time: string | undefined): Bill {
  const content = {
    $schema: bill.$schema ?? "http://cyclonedx.org/schema/bom-1.5.schema.json",
    bomFormat: bill.bomFormat,
    specVersion: bill.specVersion,
    version: bill.version,
    metadata: {
      ...(time !== undefined && { timestamp: time }),
      tools: bill.metadata.tools ?? [],
      component: bill.metadata.component,
    },
    components: bill.components.map(withoutDistribution).toSorted(by((one) => one["bom-ref"] ?? "")),
    dependencies: bill.dependencies.toSorted(by(({ ref }) => ref)),
  };
  return { ...content, serialNumber: serialNumberOf(content) };
}

/** That is the registry which this machine fetches from; the purl says what the package is. */
function withoutDistribution(component: Component): Component {
  const { externalReferences } = component;
  if (externalReferences === undefined) return component;
  return { ...component, externalReferences: externalReferences.filter(({ type }) => type !== "distribution") };
}

/** A UUID of the content (RFC 9562, version 8): another bill has another one, the same bill the same. */
function serialNumberOf(content: object): string {
  const bytes = createHash("sha256").update(JSON.stringify(content)).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  const at = [0, 8, 12, 16, 20, 32];
  return `urn:uuid:${at
    .slice(1)
    .map((end, index) => hex.slice(at[index], end))
    .join("-")}`;
}

const by =
  <T>(key: (one: T) => string) =>
  (one: T, other: T): number =>
    key(one) < key(other) ? -1 : 1;
