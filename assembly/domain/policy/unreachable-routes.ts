// Routes that can never match, because an earlier one takes every request that they would: found where that is certain
// without much search.
import { utf8, addressOf } from "../../memory/bytes";
import { isAmbiguousPath } from "../routes/ambiguous-path";
import { NOTHING, RouteTrie } from "../routes/route-trie";
import { pathPatternOf } from "./path-patterns";
import { HeaderCondition, PATH_EXACT, Route, RouteMatch } from "./route-model";

/**
 * How much a route is compared with earlier ones: their methods, hosts and headers, each with each. 1,000 routes for one path
 * may have 31 methods each, and a policy must be read well within TRY_DEADLINE_MS.
 */
const MAX_COMPARED: i32 = 4000;

export class EarlierRoutes {
  private trie: RouteTrie = new RouteTrie();
  private routes: Route[] = [];

  /** The index of a route added before that takes every request of this one, or -1. */
  coverOf(route: Route): i32 {
    const firsts = this.trie.listsThatTake(pathPatternOf(route.match));
    let left = MAX_COMPARED;
    let found = -1;
    for (let i = 0; i < firsts.length; i++) {
      for (let index = firsts[i]; index != NOTHING && left > 0; index = this.trie.nextRoutes[index]) {
        left -= comparisonsOf(this.routes[index].match, route.match);
        if ((found < 0 || index < found) && takesAllOf(this.routes[index], route)) found = index;
      }
    }
    return found;
  }

  /** Routes come in their order, all of them. */
  add(route: Route): void {
    this.trie.add(pathPatternOf(route.match));
    this.routes.push(route);
  }
}

function comparisonsOf(earlier: RouteMatch, later: RouteMatch): i32 {
  const methods = earlier.methods.length * later.methods.length;
  const hosts = earlier.hosts.length * later.hosts.length;
  return 1 + methods + hosts + earlier.headers.length * later.headers.length;
}

/** Whether all but the paths says so too: methods, hosts and headers. */
function takesAllOf(earlier: Route, later: Route): bool {
  if (earlier.isForPlainPaths && !later.isForPlainPaths && !isPlainPath(later.match)) return false;
  return (
    holdsAll(earlier.match.methods, later.match.methods) &&
    takesHosts(earlier.match.hosts, later.match.hosts) &&
    takesHeaders(earlier.match.headers, later.match.headers)
  );
}

/** One path that a route for plain paths takes too. */
function isPlainPath(match: RouteMatch): bool {
  return match.pathKind == PATH_EXACT && !isAmbiguousText(match.path);
}

export function isAmbiguousText(path: string): bool {
  const bytes = utf8(path);
  return isAmbiguousPath(addressOf(bytes), bytes.byteLength);
}

/** An empty list is every value. */
function holdsAll(earlier: string[], later: string[]): bool {
  if (earlier.length == 0) return true;
  if (later.length == 0) return false;
  for (let i = 0; i < later.length; i++) if (!earlier.includes(later[i])) return false;
  return true;
}

function takesHosts(earlier: string[], later: string[]): bool {
  if (earlier.length == 0) return true;
  if (later.length == 0) return false;
  for (let i = 0; i < later.length; i++) if (!takesHost(earlier, later[i])) return false;
  return true;
}

function takesHost(patterns: string[], host: string): bool {
  for (let i = 0; i < patterns.length; i++) {
    const pattern = patterns[i];
    if (pattern == host) return true;
    if (pattern.startsWith("*.") && host.endsWith(pattern.substring(1))) return true;
  }
  return false;
}

/** Each condition of the earlier route is one of the later's. */
function takesHeaders(earlier: HeaderCondition[], later: HeaderCondition[]): bool {
  for (let i = 0; i < earlier.length; i++) if (!implies(later, earlier[i])) return false;
  return true;
}

function implies(conditions: HeaderCondition[], condition: HeaderCondition): bool {
  for (let i = 0; i < conditions.length; i++) {
    if (conditions[i].name != condition.name) continue;
    return condition.value === null || conditions[i].value == condition.value;
  }
  return false;
}
