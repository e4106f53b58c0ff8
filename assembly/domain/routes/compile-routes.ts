// From the routes of a policy to the table that requests are matched against. Managed memory: when a policy comes into force.
import { utf8 } from "../../memory/bytes";
import { TAILS, pathPatternOf } from "../policy/path-patterns";
import { RouteLimit } from "../policy/limit-model";
import { PATH_ANY, Route } from "../policy/route-model";
import {
  ANY_HOST,
  ANY_METHOD,
  CONDITION_WORDS,
  EDGE_WORDS,
  EMPTY_LIST,
  EXEMPT_ROUTE,
  HOST_WORDS,
  NAME_WORDS,
  NODE_LISTS,
  NODE_LOWEST,
  NODE_WILD,
  NODE_WORDS,
  NONE,
  PLAIN_ROUTE,
  RouteTable,
  hashBackwards,
  hashBytes,
  startOf,
} from "./route-table";
import { entriesFor, hashedLists } from "./hashed-words";
import { NOTHING, ROOT_NODE, RouteTrie } from "./route-trie";

/** Null without routes: then nothing of a request is read for them. */
export function compileRoutes(routes: Route[]): RouteTable | null {
  return routes.length == 0 ? null : new Compiler(routes).compile();
}

function costOfLimit(route: Route, limit: RouteLimit): u32 {
  return limit.takesRouteCost ? route.cost : limit.cost;
}

class Compiler {
  private table: RouteTable = new RouteTable();
  private trie: RouteTrie = new RouteTrie();
  private text: u8[] = [];
  private methods: string[] = [];
  private headerNames: string[] = [];
  /** The first stands for ANY_HOST. */
  private hosts: string[] = [""];
  private patterns: Map<string, u32> = new Map<string, u32>();
  /** Of each route: its host patterns. */
  private hostsOf: u32[][] = [];
  private lists: u32[] = [NONE];
  /** The empty list of costs. */
  private limits: u32[] = [0];
  private costLists: Map<string, u32> = new Map<string, u32>();

  constructor(private routes: Route[]) {}

  compile(): RouteTable {
    const table = this.table;
    this.compileEach();
    this.compileEdges();
    this.compileNodes();
    this.compileHosts();
    table.lists = wordsOf(this.lists);
    table.limits = wordsOf(this.limits);
    table.headerNames = this.compileNames(this.headerNames);
    table.methods = this.compileNames(this.methods);
    table.needsHost = this.hosts.length > 1;
    table.needsMethod = this.methods.length > 0;
    table.text = new StaticArray<u8>(this.text.length);
    for (let i = 0; i < this.text.length; i++) table.text[i] = this.text[i];
    return table;
  }

  private compileEach(): void {
    const table = this.table;
    const words: u32[] = [];
    const conditions: u32[] = [];
    for (let i = 0; i < this.routes.length; i++) {
      const route = this.routes[i];
      const match = route.match;
      const pattern = pathPatternOf(match);
      this.trie.add(pattern);
      table.depth = max(table.depth, <u32>pattern.segments.length);
      if (route.isForPlainPaths || match.pathKind != PATH_ANY) table.needsPath = true;
      words.push(route.cost);
      words.push(route.enforcement);
      words.push(route.exempt ? EXEMPT_ROUTE : route.isForPlainPaths ? PLAIN_ROUTE : 0);
      words.push(this.methodBits(match.methods));
      words.push(conditions.length / CONDITION_WORDS);
      words.push(match.headers.length);
      words.push(this.costsOf(route));
      for (let j = 0; j < match.headers.length; j++) {
        const value = match.headers[j].value;
        conditions.push(numberOf(this.headerNames, match.headers[j].name));
        conditions.push(value === null ? NONE : this.addText(value));
        conditions.push(value === null ? 0 : value.length);
      }
      const hosts: u32[] = [];
      for (let j = 0; j < match.hosts.length; j++) hosts.push(this.patternOf(match.hosts[j]));
      if (hosts.length == 0) hosts.push(ANY_HOST);
      this.hostsOf.push(hosts);
    }
    table.routes = wordsOf(words);
    table.conditions = wordsOf(conditions);
  }

  /** Its list of what limits cost by name. */
  private costsOf(route: Route): u32 {
    const limits = route.limits;
    if (limits.length == 0) return EMPTY_LIST;
    let key = "";
    for (let i = 0; i < limits.length; i++) key += `${limits[i].nameId}:${costOfLimit(route, limits[i])},`;
    if (this.costLists.has(key)) return this.costLists.get(key);
    const list = <u32>this.limits.length;
    this.costLists.set(key, list);
    this.limits.push(limits.length);
    for (let i = 0; i < limits.length; i++) {
      this.limits.push(limits[i].nameId);
      this.limits.push(costOfLimit(route, limits[i]));
    }
    return list;
  }

  private compileEdges(): void {
    const trie = this.trie;
    const texts: u32[] = [];
    const hashes: u32[] = [];
    for (let i = 0; i < trie.segments.length; i++) {
      const segment = utf8(trie.segments[i]);
      hashes.push(hashBytes(changetype<usize>(segment), segment.byteLength));
      texts.push(this.addText(trie.segments[i]));
    }
    const entries = entriesFor(trie.nodes);
    const words = new StaticArray<u32>(entries * EDGE_WORDS);
    for (let child = ROOT_NODE + 1; child < trie.nodes; child++) {
      const segment = trie.segmentsOf[child];
      if (segment == NOTHING) continue;
      const node = trie.parents[child];
      let at = startOf(node, hashes[segment], entries);
      while (words[at * EDGE_WORDS] != 0) at = (at + 1) & (entries - 1);
      at *= EDGE_WORDS;
      words[at] = node + 1;
      words[at + 1] = hashes[segment];
      words[at + 2] = texts[segment];
      words[at + 3] = trie.segments[segment].length;
      words[at + 4] = child;
    }
    this.table.edges = words;
  }

  private compileNodes(): void {
    const trie = this.trie;
    const words = new StaticArray<u32>(trie.nodes * NODE_WORDS);
    const hosted: u32[] = [];
    for (let node = 0; node < trie.nodes; node++) {
      const wild = trie.wildChildren[node];
      const at = node * NODE_WORDS;
      words[at + NODE_WILD] = wild == NOTHING ? NONE : wild;
      words[at + NODE_LOWEST] = NONE;
      for (let tail = 0; tail < TAILS; tail++) {
        const first = trie.firstRouteAt(node, tail);
        if (first == NOTHING) continue;
        words[at + NODE_LISTS + tail] = this.compileLists(node * TAILS + tail, first, hosted);
        words[at + NODE_LOWEST] = min(words[at + NODE_LOWEST], <u32>first);
      }
    }
    this.passLowestUp(words);
    this.table.nodes = words;
    this.table.hosted = hashedLists(hosted);
  }

  /** A child has a higher number than its parent: from the last on, each is complete when it is passed on. */
  private passLowestUp(words: StaticArray<u32>): void {
    const parents = this.trie.parents;
    for (let node = this.trie.nodes - 1; node > ROOT_NODE; node--) {
      const at = parents[node] * NODE_WORDS + NODE_LOWEST;
      words[at] = min(words[at], words[node * NODE_WORDS + NODE_LOWEST]);
    }
  }

  /** The routes of a node and tail by their host patterns. Returns the list of those for any host. */
  private compileLists(nodeAndTail: u32, first: i32, hosted: u32[]): u32 {
    const listOf = new Map<u32, i32>();
    const patterns: u32[] = [];
    const lists: u32[][] = [];
    for (let route = first; route != NOTHING; route = this.trie.nextRoutes[route]) {
      const hosts = this.hostsOf[route];
      for (let j = 0; j < hosts.length; j++) {
        if (!listOf.has(hosts[j])) {
          listOf.set(hosts[j], patterns.push(hosts[j]) - 1);
          lists.push([]);
        }
        lists[listOf.get(hosts[j])].push(route);
      }
    }
    let ofAnyHost = EMPTY_LIST;
    for (let i = 0; i < lists.length; i++) {
      const list = this.addList(lists[i]);
      if (patterns[i] == ANY_HOST) {
        ofAnyHost = list;
        continue;
      }
      hosted.push(list);
      hosted.push(nodeAndTail);
      hosted.push(patterns[i]);
    }
    return ofAnyHost;
  }

  private addList(routes: u32[]): u32 {
    const list = this.lists.length;
    for (let i = 0; i < routes.length; i++) this.lists.push(routes[i]);
    this.lists.push(NONE);
    return list;
  }

  private patternOf(host: string): u32 {
    if (!this.patterns.has(host)) this.patterns.set(host, this.hosts.push(host) - 1);
    return this.patterns.get(host);
  }

  private compileHosts(): void {
    const entries = entriesFor(this.hosts.length);
    const words = new StaticArray<u32>(entries * HOST_WORDS);
    for (let pattern = 1; pattern < this.hosts.length; pattern++) {
      const host = this.hosts[pattern];
      const kept = host.startsWith("*") ? host.substring(1) : host;
      const bytes = utf8(kept);
      const hash = hashBackwards(changetype<usize>(bytes), bytes.byteLength);
      let at = startOf(0, hash, entries);
      while (words[at * HOST_WORDS] != 0) at = (at + 1) & (entries - 1);
      at *= HOST_WORDS;
      words[at] = pattern + 1;
      words[at + 1] = hash;
      words[at + 2] = this.addText(kept);
      words[at + 3] = bytes.byteLength;
    }
    this.table.hosts = words;
  }

  private compileNames(names: string[]): StaticArray<u32> {
    const words = new StaticArray<u32>(names.length * NAME_WORDS);
    for (let i = 0; i < names.length; i++) {
      words[i * NAME_WORDS] = this.addText(names[i]);
      words[i * NAME_WORDS + 1] = names[i].length;
    }
    return words;
  }

  private methodBits(methods: string[]): u32 {
    if (methods.length == 0) return ANY_METHOD;
    let bits: u32 = 0;
    for (let i = 0; i < methods.length; i++) bits |= 1 << numberOf(this.methods, methods[i]);
    return bits;
  }

  /** Returns where the text begins. All texts of routes are ASCII: a character is a byte. */
  private addText(text: string): u32 {
    const at = this.text.length;
    for (let i = 0; i < text.length; i++) this.text.push(<u8>text.charCodeAt(i));
    return at;
  }
}

/** The position of a value in a list, to which it is added where it is new. */
function numberOf(values: string[], value: string): u32 {
  const known = values.indexOf(value);
  return known >= 0 ? known : values.push(value) - 1;
}

function wordsOf(values: u32[]): StaticArray<u32> {
  return StaticArray.fromArray(values);
}
