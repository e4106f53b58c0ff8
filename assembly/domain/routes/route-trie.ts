// The routes of a policy by the segments of their paths, as a trie in managed memory: for the validator, which asks it what
// an earlier route takes, and to compile route-table.ts from. Never on the request path.
import { ONE_SEGMENT, PathPattern, TAILS, TAIL_END, TAIL_OPEN, TAIL_REST } from "../policy/path-patterns";

/** Stands for a node, a route or a segment that is not there. */
export const NOTHING: i32 = -1;
/** The node before the first segment. */
export const ROOT_NODE: i32 = 0;

/** The most nodes in which a pattern is looked up: thousands of templates may differ only in where they have `{name}`. */
const MAX_VISITED: i32 = 1000;

/** Numbers in arrays, not an object a node: the trie of a large policy has tens of thousands of them. */
export class RouteTrie {
  /** Of each node: its child for `{name}`; the node above it, which has a lower number; the segment that leads to it. */
  wildChildren: i32[] = [NOTHING];
  parents: i32[] = [NOTHING];
  segmentsOf: i32[] = [NOTHING];
  /** The different segments of all paths. */
  segments: string[] = [];
  /** Of each route: the next of its list. Lists are ascending. */
  nextRoutes: i32[] = [];
  /** Of each node and tail: the first and the last of its routes. */
  private firsts: i32[] = [NOTHING, NOTHING, NOTHING];
  private lasts: i32[] = [NOTHING, NOTHING, NOTHING];
  private segmentNumbers: Map<string, i32> = new Map<string, i32>();
  private visitsLeft: i32 = 0;
  /** By node and segment. */
  private children: Map<u64, i32> = new Map<u64, i32>();

  get nodes(): i32 {
    return this.parents.length;
  }

  firstRouteAt(node: i32, tail: i32): i32 {
    return this.firsts[node * TAILS + tail];
  }

  /** Routes come in their order, all of them. */
  add(pattern: PathPattern): void {
    let node = ROOT_NODE;
    for (let i = 0; i < pattern.segments.length; i++) {
      const child = this.childOf(node, pattern.segments[i]);
      node = child != NOTHING ? child : this.addChild(node, pattern.segments[i]);
    }
    const route = this.nextRoutes.push(NOTHING) - 1;
    const list = node * TAILS + pattern.tail;
    if (this.firsts[list] == NOTHING) this.firsts[list] = route;
    else this.nextRoutes[this.lasts[list]] = route;
    this.lasts[list] = route;
  }

  /** The first route of each list of routes that take each path of the pattern, as far as that is certain. */
  listsThatTake(pattern: PathPattern): i32[] {
    const found: i32[] = [];
    this.visitsLeft = MAX_VISITED;
    this.collect(ROOT_NODE, pattern, 0, found);
    return found;
  }

  private collect(node: i32, pattern: PathPattern, depth: i32, found: i32[]): void {
    if (this.visitsLeft-- <= 0) return;
    this.collectList(node, TAIL_OPEN, found);
    const isEnd = depth == pattern.segments.length;
    if (isEnd && pattern.tail == TAIL_END) this.collectList(node, TAIL_END, found);
    if (!isEnd || pattern.tail == TAIL_REST) this.collectList(node, TAIL_REST, found);
    if (isEnd) return;
    const segment = pattern.segments[depth];
    const wild = this.wildChildren[node];
    const literal = segment == ONE_SEGMENT ? NOTHING : this.childOf(node, segment);
    if (literal != NOTHING) this.collect(literal, pattern, depth + 1, found);
    if (wild != NOTHING && segment.length > 0) this.collect(wild, pattern, depth + 1, found);
  }

  private collectList(node: i32, tail: i32, found: i32[]): void {
    const first = this.firstRouteAt(node, tail);
    if (first != NOTHING) found.push(first);
  }

  private childOf(node: i32, segment: string): i32 {
    if (segment == ONE_SEGMENT) return this.wildChildren[node];
    if (!this.segmentNumbers.has(segment)) return NOTHING;
    const key = keyOf(node, this.segmentNumbers.get(segment));
    return this.children.has(key) ? this.children.get(key) : NOTHING;
  }

  private addChild(node: i32, segment: string): i32 {
    const child = this.parents.push(node) - 1;
    this.wildChildren.push(NOTHING);
    for (let i = 0; i < TAILS; i++) {
      this.firsts.push(NOTHING);
      this.lasts.push(NOTHING);
    }
    if (segment == ONE_SEGMENT) {
      this.wildChildren[node] = child;
      this.segmentsOf.push(NOTHING);
    } else {
      const number = this.numberOf(segment);
      this.children.set(keyOf(node, number), child);
      this.segmentsOf.push(number);
    }
    return child;
  }

  private numberOf(segment: string): i32 {
    const numbers = this.segmentNumbers;
    if (!numbers.has(segment)) numbers.set(segment, this.segments.push(segment) - 1);
    return numbers.get(segment);
  }
}

function keyOf(node: i32, segment: i32): u64 {
  return ((<u64>node) << 32) | (<u64>segment);
}
