// The routes of a policy by the segments of their paths, as a trie in managed memory: for the validator, which asks it what
// an earlier route takes, and to compile route-table.ts from. Never on the request path.
import { ONE_SEGMENT, PathPattern, TAILS, TAIL_END, TAIL_OPEN, TAIL_REST } from "../policy/path-patterns";

/** In place of a node. */
export const NO_NODE: i32 = -1;
/** The node before the first segment. */
export const ROOT_NODE: i32 = 0;

/** A literal child. */
export class Edge {
  constructor(
    public node: i32,
    public segment: string,
    public child: i32,
  ) {}
}

export class RouteTrie {
  edges: Edge[] = [];
  /** Of each node: its child for `{name}`, or NO_NODE. */
  wildChildren: i32[] = [NO_NODE];
  /** Of each node: the one above it, with a lower number. */
  parents: i32[] = [NO_NODE];
  /** Of each node and tail: its routes, ascending. */
  private lists: i32[][] = [[], [], []];
  private children: Map<string, i32> = new Map<string, i32>();

  get nodes(): i32 {
    return this.wildChildren.length;
  }

  routesAt(node: i32, tail: i32): i32[] {
    return this.lists[node * TAILS + tail];
  }

  /** Routes come in their order. */
  add(route: i32, pattern: PathPattern): void {
    let node = ROOT_NODE;
    for (let i = 0; i < pattern.segments.length; i++) {
      const segment = pattern.segments[i];
      const child = this.childOf(node, segment);
      node = child != NO_NODE ? child : this.addChild(node, segment);
    }
    this.routesAt(node, pattern.tail).push(route);
  }

  /** The lists of all routes that take each path of the pattern, as far as that is certain. */
  listsThatTake(pattern: PathPattern): i32[][] {
    const found: i32[][] = [];
    this.collect(ROOT_NODE, pattern, 0, found);
    return found;
  }

  private collect(node: i32, pattern: PathPattern, depth: i32, found: i32[][]): void {
    found.push(this.routesAt(node, TAIL_OPEN));
    const isEnd = depth == pattern.segments.length;
    if (isEnd && pattern.tail == TAIL_END) found.push(this.routesAt(node, TAIL_END));
    if (!isEnd || pattern.tail == TAIL_REST) found.push(this.routesAt(node, TAIL_REST));
    if (isEnd) return;
    const segment = pattern.segments[depth];
    const wild = this.wildChildren[node];
    const literal = segment == ONE_SEGMENT ? NO_NODE : this.childOf(node, segment);
    if (literal != NO_NODE) this.collect(literal, pattern, depth + 1, found);
    if (wild != NO_NODE && segment.length > 0) this.collect(wild, pattern, depth + 1, found);
  }

  private childOf(node: i32, segment: string): i32 {
    if (segment == ONE_SEGMENT) return this.wildChildren[node];
    const key = `${node}/${segment}`;
    return this.children.has(key) ? this.children.get(key) : NO_NODE;
  }

  private addChild(node: i32, segment: string): i32 {
    const child = this.nodes;
    this.wildChildren.push(NO_NODE);
    this.parents.push(node);
    for (let i = 0; i < TAILS; i++) this.lists.push([]);
    if (segment == ONE_SEGMENT) {
      this.wildChildren[node] = child;
    } else {
      this.children.set(`${node}/${segment}`, child);
      this.edges.push(new Edge(node, segment, child));
    }
    return child;
  }
}
