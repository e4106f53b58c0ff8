// Prints a route as canonical JSON.
import { JsonWriter } from "../json/writer";
import { printEnforcement } from "./enforcement";
import { HeaderCondition, PATH_EXACT, PATH_PREFIX, PATH_TEMPLATE, Route, RouteMatch } from "./route-model";

export function printRoute(route: Route, json: JsonWriter): void {
  json.beginObject();
  printMatch(route.match, json.name("match"));
  if (route.exempt) json.name("cost").raw("null");
  else json.name("cost").integer(route.cost);
  json.name("exempt").raw(route.exempt ? "true" : "false");
  printEnforcement(json.name("enforcement"), route.enforcement);
  json.name("limits").beginObject().endObject();
  json.endObject();
}

function printMatch(match: RouteMatch, json: JsonWriter): void {
  json.beginObject();
  printPath(json.name("path"), match, PATH_EXACT);
  printPath(json.name("prefix"), match, PATH_PREFIX);
  printPath(json.name("template"), match, PATH_TEMPLATE);
  printStrings(json.name("methods"), match.methods);
  printStrings(json.name("hosts"), match.hosts);
  printHeaders(json.name("headers"), match.headers);
  json.endObject();
}

function printPath(json: JsonWriter, match: RouteMatch, kind: u8): void {
  if (match.pathKind == kind) json.string(match.path);
  else json.raw("null");
}

function printStrings(json: JsonWriter, values: string[]): void {
  if (values.length == 0) {
    json.raw("null");
    return;
  }
  json.beginArray();
  for (let i = 0; i < values.length; i++) json.string(values[i]);
  json.endArray();
}

function printHeaders(json: JsonWriter, conditions: HeaderCondition[]): void {
  if (conditions.length == 0) {
    json.raw("null");
    return;
  }
  json.beginArray();
  for (let i = 0; i < conditions.length; i++) {
    const value = conditions[i].value;
    json.beginObject().name("name").string(conditions[i].name).name("value");
    if (value === null) json.raw("null");
    else json.string(value);
    json.endObject();
  }
  json.endArray();
}
