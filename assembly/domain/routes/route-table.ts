// The routes of a policy as requests are matched against them: numbers and bytes in a few arrays, made when a policy comes
// into force, so that a match costs about the same among a thousand routes as with one. Matching is in match-route.ts.
import { ENFORCEMENT_INHERITED } from "../policy/enforcement";

/** Stands for a route, a node or the value of a condition that is not there. */
export const NONE: u32 = 0xffffffff;

/** Host pattern 0: any host, and none. */
export const ANY_HOST: u32 = 0;
/** The bit of a method that no route names. */
export const OTHER_METHOD: u32 = 0x80000000;
export const ANY_METHOD: u32 = 0xffffffff;

//   nodes:    wild child | lowest route in and below it | for each tail: list of the routes for any host
//   edges:    hashed: node + 1 (0: free) | segment's hash | text | bytes | child
//   hosts:    hashed: pattern + 1 (0: free) | hash | text | bytes; `*.x` stands as `.x`, which is no host
//   hosted:   hashed: list + 1 (0: free) | node and tail | host pattern
//   lists:    route, route, …, NONE
//   routes:   cost | enforcement | 0, PLAIN_ROUTE or EXEMPT_ROUTE | methods' bits | first condition | conditions | costs of limits
//   limits:   lists of costs: number, then name and cost of each, by name; the first is empty
//   conditions: header's number | text of the value, or NONE | bytes
//   names:    of headers and of methods: text | bytes

export const NODE_WORDS: u32 = 5;
export const NODE_WILD: u32 = 0;
export const NODE_LOWEST: u32 = 1;
export const NODE_LISTS: u32 = 2;
export const EDGE_WORDS: u32 = 5;
export const HOST_WORDS: u32 = 4;
export const HOSTED_WORDS: u32 = 3;
export const ROUTE_WORDS: u32 = 7;
export const CONDITION_WORDS: u32 = 3;
export const NAME_WORDS: u32 = 2;

/** The flag of a route that takes only paths that can be read in one way (ambiguous-path.ts). */
export const PLAIN_ROUTE: u32 = 1;
/** The flag of one that does so because its requests are exempt. */
export const EXEMPT_ROUTE: u32 = 2;

/** An empty list, at the beginning of all lists, and of all lists of costs. */
export const EMPTY_LIST: u32 = 0;

export class RouteTable {
  nodes: StaticArray<u32> = NO_WORDS;
  edges: StaticArray<u32> = NO_WORDS;
  hosts: StaticArray<u32> = NO_WORDS;
  hosted: StaticArray<u32> = NO_WORDS;
  lists: StaticArray<u32> = NO_WORDS;
  routes: StaticArray<u32> = NO_WORDS;
  conditions: StaticArray<u32> = NO_WORDS;
  limits: StaticArray<u32> = NO_COSTS;
  headerNames: StaticArray<u32> = NO_WORDS;
  methods: StaticArray<u32> = NO_WORDS;
  /** All texts, end to end. */
  text: StaticArray<u8> = new StaticArray<u8>(0);
  /** Segments of the deepest pattern: a path is not looked at beyond. */
  depth: u32 = 0;
  /** Which parts of a request a match needs. */
  needsPath: bool = false;
  needsHost: bool = false;
  needsMethod: bool = false;

  /** Address of a text. */
  @inline
  textAt(at: u32): usize {
    return changetype<usize>(this.text) + at;
  }


  @inline
  costOf(route: u32): u32 {
    return unchecked(this.routes[route * ROUTE_WORDS]);
  }

  /** Which costs it says by name of a limit: EMPTY_LIST, or a list for `costsAt`. Equal ones are one list. */
  @inline
  limitCostsOf(route: u32): u32 {
    return unchecked(this.routes[route * ROUTE_WORDS + 6]);
  }

  /** The address of such a list. */
  @inline
  costsAt(list: u32): usize {
    return changetype<usize>(this.limits) + (list << 2);
  }

  /** ENFORCEMENT_INHERITED where it says none. */
  @inline
  enforcementOf(route: u32): u32 {
    return unchecked(this.routes[route * ROUTE_WORDS + 1]);
  }


  @inline
  isExempt(route: u32): bool {
    return unchecked(this.routes[route * ROUTE_WORDS + 2]) == EXEMPT_ROUTE;
  }

  /** Whether each route leaves the enforcement to the plan and the document, or is `kind`. */
  allAre(kind: u32): bool {
    const count: u32 = this.routes.length / ROUTE_WORDS;
    for (let route: u32 = 0; route < count; route++) {
      const enforcement = this.enforcementOf(route);
      if (enforcement != ENFORCEMENT_INHERITED && enforcement != kind) return false;
    }
    return true;
  }
}

const NO_WORDS = new StaticArray<u32>(0);
/** The empty list alone. */
const NO_COSTS = new StaticArray<u32>(1);

// FNV-1a, which takes a byte at a time: a path is hashed while it is cut into segments.
export const HASH_START: u32 = 0x811c9dc5;

// @ts-ignore: decorator
@inline
export function hashByte(hash: u32, byte: u32): u32 {
  return (hash ^ byte) * 0x01000193;
}

export function hashBytes(text: usize, bytes: u32): u32 {
  let hash = HASH_START;
  for (let i: u32 = 0; i < bytes; i++) hash = hashByte(hash, load<u8>(text + i));
  return hash;
}

/** From its last byte to its first: so the hashes of all suffixes of a host are made in one pass. */
export function hashBackwards(text: usize, bytes: u32): u32 {
  let hash = HASH_START;
  for (let i = bytes; i > 0; i--) hash = hashByte(hash, load<u8>(text + i - 1));
  return hash;
}

/** Where in a hashed array of a power of two of entries the search for two numbers begins. */
// @ts-ignore: decorator
@inline
export function startOf(first: u32, second: u32, entries: u32): u32 {
  const mixed = (second ^ (first * 0x9e3779b1)) * 0x85ebca6b;
  return (mixed ^ (mixed >> 15)) & (entries - 1);
}
