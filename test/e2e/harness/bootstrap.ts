// Changes of the bootstrap that an Envoy of a test is started with: where things stand in it, and the example for browsers.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, parse, parseDocument } from "yaml";
import { projectRoot } from "../../../scripts/project-root.js";

export const MANAGER = ["static_resources", "listeners", 0, "filter_chains", 0, "filters", 0, "typed_config"];
export const HTTP_FILTERS = [...MANAGER, "http_filters"];
export const VIRTUAL_HOST = [...MANAGER, "route_config", "virtual_hosts", 0];
export const ROUTES = [...VIRTUAL_HOST, "routes"];

/** What is given, changed. */
export function changed(bootstrap: string, change: (document: Document) => void): string {
  const document = parseDocument(bootstrap);
  change(document);
  return document.toString({ lineWidth: 0 });
}

/** In front of those that are there. */
export function prepend(document: Document, list: readonly (string | number)[], items: readonly unknown[]): void {
  const before = (document.getIn(list) as { toJSON: () => unknown[] }).toJSON();
  document.setIn(list, document.createNode([...items, ...before]));
}

interface BrowsersExample {
  readonly http_filters: readonly unknown[];
  readonly typed_per_filter_config: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export const CORS_FILTER = "envoy.filters.http.cors";

/**
 * With what envoy/browsers.yaml adds, for pages of this origin.
 * @param policy what else is to stand in its CorsPolicy
 */
export function withCors(bootstrap: string, origin: string, policy: Readonly<Record<string, unknown>> = {}): string {
  const example = parse(readFileSync(join(projectRoot, "envoy/browsers.yaml"), "utf8")) as BrowsersExample;
  const written = example.typed_per_filter_config[CORS_FILTER];
  const rights = { ...written, allow_origin_string_match: [{ exact: origin }], ...policy };
  return changed(bootstrap, (document) => {
    prepend(document, HTTP_FILTERS, example.http_filters);
    document.setIn([...VIRTUAL_HOST, "typed_per_filter_config"], document.createNode({ [CORS_FILTER]: rights }));
  });
}

/** The first filter of the chain behind the second. */
export function withFirstFiltersSwapped(bootstrap: string): string {
  return changed(bootstrap, (document) => {
    const [first, second] = [0, 1].map((index) => document.getIn([...HTTP_FILTERS, index]));
    document.setIn([...HTTP_FILTERS, 0], second);
    document.setIn([...HTTP_FILTERS, 1], first);
  });
}
