// docs/browsers.md says of the rights of pages what envoy/browsers.yaml gives, for Envoy and for Istio.
import { expect, it } from "vitest";
import { parse } from "yaml";
import { sectionOf, tableUnder, textOf, withoutTicks } from "./docs.js";

type Fields = Readonly<Record<string, unknown>>;
const FILTER = "envoy.filters.http.cors";
const example = parse(textOf("envoy/browsers.yaml")) as {
  readonly typed_per_filter_config: Readonly<Record<string, Fields>>;
};
const rights = example.typed_per_filter_config[FILTER] ?? {};

it("docs/browsers.md gives a reason for each right that the example for browsers sets", () => {
  const rows = tableUnder("docs/browsers.md", "Setting it up").map(([field = "", why]) => [withoutTicks(field), why]);
  const explained = rows.map(([field = ""]) => field.replace(/:.*/, ""));
  // Which methods there are is the service's matter.
  const set = Object.keys(rights).filter((field) => !["@type", "allow_methods"].includes(field));
  expect(set.filter((field) => !explained.includes(field))).toEqual([]);
  const [, exposed] = rows.find(([field]) => field === "expose_headers") ?? [];
  expect(exposed).toContain(`\`${String(rights["expose_headers"])}\` under \`response.headers: draft\``);
});

it("the corsPolicy for Istio in docs/browsers.md gives the rights of the example for Envoy", () => {
  const [, yaml = ""] = /^```yaml\n([^]*?)^```$/m.exec(sectionOf("docs/browsers.md", "Istio")) ?? [];
  const { corsPolicy } = parse(yaml) as { readonly corsPolicy: Readonly<Record<string, unknown>> };
  const list = (field: string): string[] => String(rights[field]).split(", ");
  expect(corsPolicy).toEqual({
    allowOrigins: rights["allow_origin_string_match"],
    allowMethods: list("allow_methods"),
    allowHeaders: list("allow_headers"),
    exposeHeaders: list("expose_headers"),
    maxAge: `${Number(rights["max_age"]) / 3600}h`,
    unmatchedPreflights: "IGNORE",
  });
});
