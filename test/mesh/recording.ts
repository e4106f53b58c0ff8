// What a real mesh made of our files, as its Envoy was given it: recorded for the tests that have no mesh.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../scripts/project-root.js";
import type { Kit } from "./site.js";

const RECORDED = join(projectRoot, "test/mesh/recorded");
const CONTROL_PLANE = "sluice.sluice.svc.cluster.local";

/** A part of Envoy's /config_dump: any object in it. */
type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null;

/** Every object in it for which that holds, the outer ones first. */
function objectsIn(value: unknown, holds: (one: Json) => boolean): Json[] {
  if (!isObject(value)) return [];
  const inner = Object.values(value).flatMap((one) => objectsIn(one, holds));
  return holds(value) ? [value, ...inner] : inner;
}

function theOnly(dump: unknown, what: string, holds: (one: Json) => boolean): Json {
  const [found, ...others] = objectsIn(dump, holds);
  if (found === undefined || others.some((one) => JSON.stringify(one) !== JSON.stringify(found)))
    throw new Error(`the Envoy has ${found === undefined ? "no" : "more than one"} ${what}`);
  return found;
}

/** @param dump of Envoy @param write whether it is written; else it is only looked for */
export function recordIstio(dump: string, { tools, envoy }: Kit, write: boolean): void {
  const configuration = JSON.parse(dump) as unknown;
  const isOurs = (name: unknown): boolean => typeof name === "string" && name.includes("sluice");
  const extension = theOnly(
    configuration,
    "extension of ours",
    ({ "@type": type, name }) => isOurs(name) && String(type).endsWith(".TypedExtensionConfig"),
  );
  const httpFilter = theOnly(
    configuration,
    "HTTP filter of ours",
    ({ name, config_discovery: discovery }) => isOurs(name) && discovery !== undefined,
  );
  const cluster = theOnly(
    configuration,
    "cluster of the control plane",
    ({ "@type": type, name }) => String(name).endsWith(CONTROL_PLANE) && String(type).endsWith(".Cluster"),
  );
  const versions = {
    ...{ istio: tools["pilot-discovery"].version, envoy: envoy.version },
    kubernetes: tools["kube-apiserver"].version,
  };
  const recorded = { versions, httpFilter, extension: withoutPath(extension), cluster: cluster["name"] };
  if (write) writeRecorded("istio.json", recorded);
}

/** Where the agent put the code is another path each time. */
const withoutPath = (extension: Json): unknown =>
  JSON.parse(JSON.stringify(extension).replaceAll(/"filename":"[^"]*"/g, '"filename":"plugin.wasm"'));

export function writeRecorded(file: string, recorded: object): void {
  writeFileSync(join(RECORDED, file), `${JSON.stringify(recorded, null, 2)}\n`);
}

/** The filter of a gateway of Envoy Gateway. */
export function recordGateway(dump: string, { tools, envoy }: Kit, write: boolean): void {
  const filter = theOnly(
    JSON.parse(dump),
    "filter of ours",
    ({ name, typed_config: config }) => String(name).startsWith("envoy.filters.http.wasm") && config !== undefined,
  );
  const versions = {
    ...{ envoyGateway: tools["envoy-gateway"].version, envoy: envoy.version },
    kubernetes: tools["kube-apiserver"].version,
  };
  // Its place is a secret of the installation, and its hash that of one build.
  const text = JSON.stringify(filter)
    .replaceAll(/(:18002\/)[^"]*"/g, '$1plugin.wasm"')
    .replaceAll(/"sha256":"[^"]*"/g, '"sha256":""');
  const httpFilter = JSON.parse(text) as unknown;
  if (write) writeRecorded("envoy-gateway.json", { versions, httpFilter });
}
