// The table of routes decides as a plain walk over the policy's routes does.
import { compileRoutes } from "../domain/routes/compile-routes";
import { matchRoute } from "../domain/routes/match-route";
import { newRouteRequest, takeHost, takeMethod, takePath } from "../domain/routes/route-request";
import { NAME_WORDS, NONE, RouteTable } from "../domain/routes/route-table";
import { HeaderCondition, PATH_ANY, PATH_EXACT, PATH_PREFIX, PATH_TEMPLATE, Route } from "../domain/policy/route-model";
import { ENFORCEMENT_OFF } from "../domain/policy/enforcement";
import { ONE_SEGMENT, PathPattern, TAIL_END, isRoutePath, isRouteTemplate } from "../domain/policy/path-patterns";
import { RouteTrie } from "../domain/routes/route-trie";
import { EarlierRoutes } from "../domain/policy/unreachable-routes";
import { isHostPattern } from "../domain/policy/names";
import { randomBelow, seedRandom } from "./random";

class PlainRequest {
  constructor(
    public path: string | null,
    public host: string | null,
    public method: string,
    public headers: Map<string, string>,
  ) {}
}

// --- the plain reference ---

function plainMatch(routes: Route[], request: PlainRequest): u32 {
  for (let i = 0; i < routes.length; i++) if (plainlyMeets(routes[i], request)) return i;
  return NONE;
}

function plainlyMeets(route: Route, request: PlainRequest): bool {
  const match = route.match;
  if (match.pathKind != PATH_ANY && !plainPath(route, request.path)) return false;
  if (match.methods.length > 0 && !match.methods.includes(request.method)) return false;
  if (match.hosts.length > 0 && !plainHost(match.hosts, request.host)) return false;
  for (let i = 0; i < match.headers.length; i++) {
    const condition = match.headers[i];
    if (!request.headers.has(condition.name)) return false;
    if (condition.value !== null && request.headers.get(condition.name) != condition.value!) return false;
  }
  return !(route.exempt || route.enforcement == ENFORCEMENT_OFF) || !plainlyAmbiguous(request.path);
}

function plainPath(route: Route, path: string | null): bool {
  if (path === null || !path.startsWith("/")) return false;
  const plain = path.split("?")[0];
  const pattern = route.match.path;
  if (route.match.pathKind == PATH_EXACT) return plain == pattern;
  if (route.match.pathKind == PATH_PREFIX) {
    return plain == pattern || plain.startsWith(pattern.endsWith("/") ? pattern : pattern + "/");
  }
  const wanted = pattern.split("/");
  const found = plain.split("/");
  for (let i = 0; i < wanted.length; i++) {
    if (i >= found.length) return false;
    if (wanted[i].endsWith("*}")) return true;
    if (wanted[i].startsWith("{") ? found[i] == "" : found[i] != wanted[i]) return false;
  }
  return wanted.length == found.length;
}

function plainHost(patterns: string[], host: string | null): bool {
  if (host === null) return false;
  let name = host.toLowerCase();
  const colon = name.lastIndexOf(":");
  if (colon >= 0 && !name.endsWith("]")) name = name.substring(0, colon);
  if (name.endsWith(".")) name = name.substring(0, name.length - 1);
  for (let i = 0; i < patterns.length; i++) {
    if (patterns[i] == name) return true;
    if (patterns[i].startsWith("*") && name.endsWith(patterns[i].substring(1)) && name.length >= patterns[i].length) {
      return true;
    }
  }
  return false;
}

function plainlyAmbiguous(path: string | null): bool {
  if (path === null) return false;
  const plain = path.split("?")[0].toLowerCase();
  const signs = ["%2e", "%2f", "%5c", "%25", "%3b", "%3f", "%23", "%00", "%c0", "%zz", "\\", "#", "\t", "é"];
  for (let i = 0; i < signs.length; i++) if (plain.includes(signs[i])) return true;
  const segments = plain.substring(1).split("/");
  for (let i = 0; i < segments.length; i++) {
    const bare = segments[i].split(";")[0].split("%")[0];
    if (bare == "." || bare == "..") return true;
    if (segments[i] == "" && i < segments.length - 1) return true;
  }
  return false;
}

// --- the table ---

let headersOfRequest = new Map<string, string>();

function holds(table: RouteTable, header: u32, value: u32, valueBytes: u32): bool {
  const words = table.headerNames;
  const at = table.textAt(words[header * NAME_WORDS]);
  const name = String.UTF8.decodeUnsafe(at, words[header * NAME_WORDS + 1]);
  if (!headersOfRequest.has(name)) return false;
  return value == NONE || headersOfRequest.get(name) == String.UTF8.decodeUnsafe(table.textAt(value), valueBytes);
}

function tableMatch(table: RouteTable, plain: PlainRequest): u32 {
  const request = newRouteRequest();
  const path = String.UTF8.encode(plain.path === null ? "" : plain.path!);
  const host = String.UTF8.encode(plain.host === null ? "" : plain.host!);
  const method = String.UTF8.encode(plain.method);
  if (plain.host !== null) takeHost(request, table, changetype<usize>(host), host.byteLength);
  takeMethod(request, table, changetype<usize>(method), method.byteLength);
  if (plain.path !== null) takePath(request, table, changetype<usize>(path), path.byteLength);
  headersOfRequest = plain.headers;
  return matchRoute(table, request, holds);
}

// --- what is matched ---

const SEGMENTS: string[] = ["a", "b", "ab", "A", ".", "..", "", "%2f", "a;b", "..;x", "%2E", "%5c", "x\\y", "..."];
const ASKED_SEGMENTS: string[] = SEGMENTS.concat([
  "..%20",
  "%20..",
  "%252f",
  "%3B",
  "a%3f",
  "%23",
  "%00",
  "%C0%ae",
  "%zz",
  "#",
  "\t",
  "é",
  "%c3%a9",
]);
const PARTS: string[] = ["a", "b", "ab", "{x}", "", "a", "b"];
const HOSTS: string[] = ["example.com", "*.example.com", "a.example.com", "*.a.example.com", "[::1]", "10.0.0.1"];
const ASKED: string[] = [
  "example.com",
  "EXAMPLE.com:8080",
  "a.Example.com",
  "b.a.example.com.",
  "xexample.com",
  ".example.com",
  "[::1]:80",
  "[::1]",
  "10.0.0.1",
  "10.0.0.1:1",
  "",
  "com",
];
const METHODS: string[] = ["GET", "POST", "PUT", "get", "DELETE"];

function pick(values: string[]): string {
  return values[<i32>randomBelow(values.length)];
}

function randomPattern(route: Route): void {
  const kind = <u8>randomBelow(4);
  let path = "";
  const depth = <i32>randomBelow(4) + (kind == PATH_EXACT ? 1 : 0);
  for (let i = 0; i < depth; i++) {
    const part = pick(kind == PATH_TEMPLATE ? PARTS : SEGMENTS);
    path += "/" + (part == "{x}" ? `{x${i}}` : part);
  }
  if (kind == PATH_TEMPLATE && randomBelow(3) == 0) path += "/{rest*}";
  if (path == "") path = "/";
  if (kind == PATH_ANY || !(kind == PATH_TEMPLATE ? isRouteTemplate(path) : isRoutePath(path))) return;
  route.match.pathKind = kind;
  route.match.path = path;
}

function randomRoute(): Route {
  const route = new Route();
  const match = route.match;
  randomPattern(route);
  route.exempt = randomBelow(4) == 0;
  if (!route.exempt && randomBelow(4) == 0) route.enforcement = ENFORCEMENT_OFF;
  for (let i = <i32>randomBelow(3); i > 0 && randomBelow(3) == 0; i--) match.methods.push(METHODS[i]);
  for (let i = <i32>randomBelow(4); i > 0 && randomBelow(2) == 0; i--) {
    const host = pick(HOSTS);
    if (isHostPattern(host) && !match.hosts.includes(host)) match.hosts.push(host);
  }
  if (randomBelow(4) == 0) match.headers.push(new HeaderCondition("x-a", randomBelow(2) == 0 ? null : "1"));
  if (randomBelow(6) == 0) match.headers.push(new HeaderCondition("x-b", "2"));
  return route;
}

function randomRequest(): PlainRequest {
  let path: string | null = null;
  if (randomBelow(12) > 0) {
    let text = "";
    for (let i = <i32>randomBelow(5); i >= 0; i--) text += "/" + pick(ASKED_SEGMENTS);
    if (randomBelow(4) == 0) text += "?b=/../%2f//";
    path = randomBelow(20) == 0 ? "*" : text;
  }
  const host: string | null = randomBelow(10) == 0 ? null : pick(ASKED);
  const headers = new Map<string, string>();
  if (randomBelow(2) == 0) headers.set("x-a", randomBelow(2) == 0 ? "1" : "12");
  if (randomBelow(2) == 0) headers.set("x-b", "2");
  return new PlainRequest(path, host, pick(METHODS), headers);
}

describe("matching a request against the routes", () => {
  test("a compiled policy finds the route that a plain walk over its routes finds", () => {
    seedRandom(20261129);
    let matched = 0;
    let exempted = 0;
    for (let round = 0; round < 150; round++) {
      const routes: Route[] = [];
      for (let i = <i32>randomBelow(round % 10 == 0 ? 200 : 12); i >= 0; i--) routes.push(randomRoute());
      const table = compileRoutes(routes)!;
      for (let i = 0; i < 60; i++) {
        const request = randomRequest();
        const wanted = plainMatch(routes, request);
        const about = `round ${round}, request ${i}: ${request.path === null ? "none" : request.path!}`;
        expect(tableMatch(table, request)).toBe(wanted, about);
        if (wanted == NONE) continue;
        matched++;
        if (routes[wanted].exempt) exempted++;
      }
    }
    expect(matched).toBeGreaterThan(2000);
    expect(exempted).toBeGreaterThan(200);
  });

  test("a route that is said to never match has no request", () => {
    seedRandom(20261130);
    let covered = 0;
    for (let round = 0; round < 100; round++) {
      const routes: Route[] = [];
      const covers: i32[] = [];
      const earlier = new EarlierRoutes();
      for (let i = 0; i < 12; i++) {
        const route = randomRoute();
        covers.push(earlier.coverOf(route));
        earlier.add(route);
        routes.push(route);
        if (covers[i] >= 0) covered++;
      }
      for (let i = 0; i < 200; i++) {
        const request = randomRequest();
        const first = plainMatch(routes, request);
        if (first != NONE) expect(covers[first]).toBe(-1, `round ${round}, route ${first}`);
        // Whoever meets it meets the one that comes first, too.
        for (let j = 0; j < routes.length; j++) {
          if (covers[j] < 0 || !plainlyMeets(routes[j], request)) continue;
          expect(plainlyMeets(routes[covers[j]], request)).toBe(true, `round ${round}, route ${j}`);
        }
      }
    }
    expect(covered).toBeGreaterThan(100);
  });

  test("the search for routes that never match ends, however many templates take a path", () => {
    const trie = new RouteTrie();
    const depth = 12;
    for (let bits = 0; bits < 1 << depth; bits++) {
      const segments: string[] = [];
      for (let i = 0; i < depth; i++) segments.push(((bits >> i) & 1) != 0 ? "a" : ONE_SEGMENT);
      trie.add(new PathPattern(segments, TAIL_END));
    }
    const path: string[] = [];
    for (let i = 0; i < depth; i++) path.push("a");
    const found = trie.listsThatTake(new PathPattern(path, TAIL_END)).length;
    expect(found).toBeGreaterThan(400);
    expect(found).toBeLessThan(1000);
    // It has not used up what the next search may.
    expect(trie.listsThatTake(new PathPattern(path, TAIL_END)).length).toBe(found);
  });

  test("a policy without routes has no table", () => {
    expect(compileRoutes([])).toBeNull();
  });
});
