// Validates what a route matches: its path, methods, hosts and headers.
import {
  MAX_HOSTS_OF_ROUTES,
  MAX_HOST_CHARS,
  MAX_METHOD_CHARS,
  MAX_ROUTE_HEADERS,
  MAX_ROUTE_HEADER_CHARS,
  MAX_ROUTE_HEADER_NAMES,
  MAX_ROUTE_HOSTS,
  MAX_ROUTE_METHODS,
} from "../../contract";
import { JSON_NULL, JsonNode } from "../json/node";
import { Field } from "./field";
import { Fields } from "./fields";
import { isConditionHeader, isHeaderValue, isHostPattern, isMethod } from "./names";
import { expectedPath, expectedTemplate, isRoutePath, isRouteTemplate } from "./path-patterns";
import { HeaderCondition, PATH_ANY, PATH_EXACT, PATH_PREFIX, PATH_TEMPLATE, RouteMatch } from "./route-model";
import { Violations, itemPath } from "./violations";

const EXPECTED_NAME: string = 'a header name of 1 to 64 characters, not "host" (hosts has that)';

export class MatchesValidator {
  private methods: Set<string> = new Set<string>();
  private headerNames: Set<string> = new Set<string>();
  private hosts: i32 = 0;

  constructor(private violations: Violations) {}

  match(field: Field): RouteMatch {
    const match = new RouteMatch();
    const object = field.object();
    if (field.node === null || !field.fits) return match;
    const fields = new Fields(object, field.path, this.violations);
    this.path(fields.optional("path"), PATH_EXACT, match);
    this.path(fields.optional("prefix"), PATH_PREFIX, match);
    this.path(fields.optional("template"), PATH_TEMPLATE, match);
    this.validateMethods(fields.optional("methods"), match.methods);
    this.validateHosts(fields.optional("hosts"), match.hosts);
    this.validateHeaders(fields.optional("headers"), match.headers);
    fields.rejectOthers();
    if (saysNothing(object)) {
      field.violation("says nothing, expected one of path, prefix, template, methods, hosts, headers in it");
    }
    return match;
  }

  private path(field: Field, kind: u8, match: RouteMatch): void {
    if (field.isNull) return;
    const isTemplate = kind == PATH_TEMPLATE;
    const accepts = isTemplate ? isRouteTemplate : isRoutePath;
    const path = field.string(accepts, isTemplate ? expectedTemplate() : expectedPath(), "");
    if (field.node === null) return;
    if (match.pathKind != PATH_ANY) field.reject("only one of path, prefix and template");
    match.pathKind = kind;
    match.path = path;
  }

  private validateMethods(field: Field, methods: string[]): void {
    const items = field.itemsOrNull(MAX_ROUTE_METHODS);
    const expected = `a method of 1 to ${MAX_METHOD_CHARS} of A-Z, 0-9, "-" and "_"`;
    for (let i = 0; i < items.length; i++) {
      const item = new Field(itemPath(field.path, i), items[i], true, this.violations);
      const method = item.string(isMethod, expected, "");
      if (!isNew(item, methods, method)) continue;
      this.methods.add(method);
      if (this.methods.size > MAX_ROUTE_METHODS) {
        item.reject(`at most ${MAX_ROUTE_METHODS} different methods in all routes`);
      }
    }
  }

  private validateHosts(field: Field, hosts: string[]): void {
    const items = field.itemsOrNull(MAX_ROUTE_HOSTS);
    const expected = `a host name without port, or "*." and one, at most ${MAX_HOST_CHARS} characters`;
    this.hosts += items.length;
    if (this.hosts > MAX_HOSTS_OF_ROUTES) {
      field.reject(`at most ${MAX_HOSTS_OF_ROUTES} hosts in all routes`);
      return;
    }
    for (let i = 0; i < items.length; i++) {
      const item = new Field(itemPath(field.path, i), items[i], true, this.violations);
      isNew(item, hosts, item.string(isHostPattern, expected, "").toLowerCase());
    }
  }

  private validateHeaders(field: Field, conditions: HeaderCondition[]): void {
    const items = field.itemsOrNull(MAX_ROUTE_HEADERS);
    const names: string[] = [];
    for (let i = 0; i < items.length; i++) this.validateHeader(items[i], itemPath(field.path, i), names, conditions);
  }

  private validateHeader(node: JsonNode, path: string, names: string[], conditions: HeaderCondition[]): void {
    const fields = Fields.of(node, path, this.violations);
    if (fields === null) return;
    const nameField = fields.required("name");
    const name = nameField.string(isConditionHeader, EXPECTED_NAME, "").toLowerCase();
    const valueField = fields.optional("value");
    const hasValue = valueField.isGiven;
    const expected = `1 to ${MAX_ROUTE_HEADER_CHARS} visible ASCII characters, spaces within, or null`;
    const value: string | null = hasValue ? valueField.string(isHeaderValue, expected, "") : null;
    fields.rejectOthers();
    conditions.push(new HeaderCondition(name, value));
    if (!isNew(nameField, names, name)) return;
    this.headerNames.add(name);
    if (this.headerNames.size > MAX_ROUTE_HEADER_NAMES) {
      nameField.reject(`at most ${MAX_ROUTE_HEADER_NAMES} different header names in all routes`);
    }
  }
}

/** Adds a value of a list. False: it does not fit, or stands there already. */
function isNew(item: Field, values: string[], value: string): bool {
  if (!item.fits) return false;
  if (values.includes(value)) {
    item.reject("each value once");
    return false;
  }
  values.push(value);
  return true;
}

/** No members, or all of them null. */
function saysNothing(object: JsonNode): bool {
  for (let i = 0; i < object.items.length; i++) if (object.items[i].kind != JSON_NULL) return false;
  return true;
}
