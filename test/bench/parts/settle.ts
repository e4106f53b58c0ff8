// What it costs to settle, by where the response tells what a request cost. A service stands behind the listeners.
import type { AddedRatio } from "./added-cpu.js";
import { compare, type Run } from "./compared.js";
import type { Part } from "../stand/part.js";
import type { Section } from "../stand/section.js";
import { ANSWERS, COST_NAME, startService, USAGE_POINTER } from "../stand/service.js";
import { BARE, PLENTY, sluiceVariant, type FilterModule, type Variant } from "../stand/variants.js";

/** More than the service says: each settlement gives some of it back. */
const RESERVED = 2;
const NAMESPACE = "service.usage";
const TO_METADATA = "type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config";

/** Another filter of the chain, which writes what the header says where a settlement reads it. */
const metadataFilter = {
  name: "envoy.filters.http.header_to_metadata",
  typed_config: {
    "@type": TO_METADATA,
    response_rules: [
      { header: COST_NAME, on_header_present: { metadata_namespace: NAMESPACE, key: "cost", type: "NUMBER" } },
    ],
  },
};

export async function settle(part: Part): Promise<Section[]> {
  const service = await startService();
  try {
    return [
      ...(await settleOnePiece(part, service.port)),
      ...(await settleEvents(part, service.port)),
      ...(await settleMetadata(part, service.port)),
    ];
  } finally {
    service.close();
  }
}

/** One that settles nothing in either build, and one for each source that is named. */
function variants(part: Part, sources: Readonly<Record<string, object>>): Variant[] {
  const reserving = (name: string, what: string, rule: object, module: FilterModule): Variant => {
    const routes = [{ match: { prefix: "/" }, cost: RESERVED, ...rule }];
    return sluiceVariant(name, what, part.filterPath, { table: { capacity: 8192 }, plans: [PLENTY], routes }, module);
  };
  return [
    reserving("full", "nothing to settle, full build", {}, "sluice"),
    reserving("none", "nothing to settle, settle build", {}, "sluice-settle"),
    ...Object.entries(sources).map(([name, source]) =>
      reserving(name, `settled by ${name}`, { settle: source }, "sluice-settle"),
    ),
  ];
}

const runs = (path: string, all: readonly Variant[]): Run[] => all.map((variant) => ({ variant, path }));
const ofFull = (prefix: string, names: readonly string[]): AddedRatio[] =>
  names.map((name) => [`settle.${prefix}${name}OfFull`, name, "full"]);

function settleOnePiece(part: Part, service: number): Promise<Section[]> {
  const sources = { header: { header: COST_NAME }, trailer: { trailer: COST_NAME }, json: { json: USAGE_POINTER } };
  return compare(part, {
    name: "settle",
    title: "Reserve and settle",
    method: `Each response has ${bytes("/json")} bytes of JSON, a header and a trailer. No response headers of Sluice's own.`,
    runs: runs("/json", [BARE, ...variants(part, sources)]),
    ratios: ofFull("", ["none", ...Object.keys(sources)]),
    service,
  });
}

function settleEvents(part: Part, service: number): Promise<Section[]> {
  return compare(part, {
    name: "settle-events",
    title: "Settle by an event stream",
    method: `Each response has ${bytes("/events")} bytes of events, which come at once; the last but one tells the cost.`,
    runs: runs("/events", [BARE, ...variants(part, { events: { json: USAGE_POINTER } })]),
    ratios: ofFull("", ["events"]),
    service,
  });
}

function settleMetadata(part: Part, service: number): Promise<Section[]> {
  const sources = { metadata: { metadata: [NAMESPACE, "cost"] } };
  const all = [BARE, ...variants(part, sources)].map((variant): Variant => ({ ...variant, behind: [metadataFilter] }));
  return compare(part, {
    name: "settle-metadata",
    title: "Settle by what another filter wrote",
    method: "Every listener has Envoy's header_to_metadata, the bare one too.",
    runs: runs("/json", all),
    ratios: ofFull("", Object.keys(sources)),
    service,
  });
}

const bytes = (path: string): number => ANSWERS[path]?.body.length ?? 0;
