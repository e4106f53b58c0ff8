// The control plane knows each counter of the filter by name, label and word, and no other.
import { expect, it } from "vitest";
import { FAMILIES, counterNamed } from "../../control-plane/src/domain/figures/counter-families.js";
import type { EdgeCounter } from "../../control-plane/src/domain/figures/counter-families.js";
import { filterModule } from "../host/harness/builds/filter-modules.js";
import { policy } from "../host/harness/scenes/documents.js";
import { Edge, requestWith } from "../host/harness/scenes/edge.js";
import { fleetPolicy } from "../host/harness/scenes/leases.js";

/** All counters that builds of the filter name to their host, as reports would. */
function namesOfFilter(): string[] {
  const edge = new Edge({ policy: policy({ routes: [{ match: { path: "/shadow" }, enforcement: "shadow" }] }) });
  const session = edge.sessionInTable({ tokens: 0 });
  for (const path of ["/", "/shadow"]) edge.worker(0).request(requestWith(session, path));
  edge.flush();
  const settling = new Edge({ module: filterModule("settle"), policy: fleetPolicy() });
  const shown = [...edge.host.metrics.names(), ...settling.host.metrics.names()];
  const counters = shown.filter((name) => /_total(\{|$)/.test(name));
  return counters.map((name) => {
    const [, family = "", labels = ""] = /^sluice_(\w+)_total(?:\{(.*)\})?$/.exec(name) ?? [];
    return [family, ...labels.replaceAll('"', "").split(",").filter(Boolean)].join(".");
  });
}

/** Family, label and word; of a label that a policy fills in only that it is there. */
function partsOf({ family, labels }: EdgeCounter): string[] {
  const known: Readonly<Record<string, unknown>> = FAMILIES[family];
  const parts = Object.entries(labels).map(([label, value]) =>
    Array.isArray(known[label]) ? `${family} ${label} ${value}` : `${family} ${label}`,
  );
  return [family, ...parts];
}

it("the control plane knows exactly the counters of the filter, with their labels and words", () => {
  const names = [...new Set(namesOfFilter())];
  const unknown = names.filter((name) => counterNamed(name) === undefined);
  expect(unknown).toEqual([]);
  const ofFilter = new Set(names.flatMap((name) => partsOf(counterNamed(name) as EdgeCounter)));
  const listed = Object.entries(FAMILIES).flatMap(([family, labels]: [string, object]) => [
    family,
    ...Object.entries(labels).flatMap(([label, values]: [string, unknown]) =>
      Array.isArray(values) ? values.map((word) => `${family} ${label} ${String(word)}`) : [`${family} ${label}`],
    ),
  ]);
  expect([...ofFilter].sort()).toEqual([...listed].sort());
});
