// Prints a route as canonical JSON.
import { JsonWriter } from "../json/writer";
import { printEnforcement } from "./enforcement";
import { RouteLimit } from "./limit-model";
import { microText } from "./print-limit";
import { HeaderCondition, PATH_EXACT, PATH_PREFIX, PATH_TEMPLATE, Route, RouteMatch } from "./route-model";
import { ON_MISSING, SETTLE_METADATA, SETTLE_SOURCES, Settle } from "./settle-model";

export function printRoute(route: Route, json: JsonWriter): void {
  json.beginObject();
  printMatch(route.match, json.name("match"));
  if (route.exempt) json.name("cost").raw("null");
  else json.name("cost").integer(route.cost);
  json.name("exempt").raw(route.exempt ? "true" : "false");
  printEnforcement(json.name("enforcement"), route.enforcement);
  printLimits(json.name("limits"), route.limits);
  const settle = route.settle;
  json.name("settle");
  if (settle === null) json.raw("null");
  else printSettle(settle, json);
  json.endObject();
}

function printLimits(json: JsonWriter, limits: RouteLimit[]): void {
  json.beginObject();
  for (let i = 0; i < limits.length; i++) {
    json.name(limits[i].name);
    if (limits[i].takesRouteCost) json.raw("null");
    else json.integer(limits[i].cost);
  }
  json.endObject();
}

function printSettle(settle: Settle, json: JsonWriter): void {
  json.beginObject();
  json.name("limit");
  if (settle.limit.length == 0) json.raw("null");
  else json.string(settle.limit);
  for (let i: u8 = 0; i < <u8>SETTLE_SOURCES.length; i++) printSource(json.name(SETTLE_SOURCES[i]), settle, i);
  json.name("times").raw(microText(settle.timesMicro));
  json.name("onMissing").string(ON_MISSING.word(settle.onMissing));
  json.endObject();
}

function printSource(json: JsonWriter, settle: Settle, source: u8): void {
  if (settle.source != source) json.raw("null");
  else if (source == SETTLE_METADATA) json.beginArray().string(settle.at).string(settle.key).endArray();
  else json.string(settle.at);
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
