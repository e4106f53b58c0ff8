// Which strings may be a route's path, prefix or template, and what one consists of.
import { MAX_NAME_CHARS, MAX_ROUTE_PATH_CHARS, MAX_ROUTE_SEGMENTS } from "../../contract";
import { isWord } from "./names";
import { PATH_ANY, PATH_PREFIX, PATH_TEMPLATE, RouteMatch } from "./route-model";

/** Stands for `{name}` among the segments of a pattern: no literal segment has braces. */
export const ONE_SEGMENT: string = "{}";

// What a path may have behind the pattern's segments.
/** Nothing: it ends there. */
export const TAIL_END: i32 = 0;
/** Anything: it ends there, or has more segments. */
export const TAIL_OPEN: i32 = 1;
/** At least one more segment, which may be empty: there is one more "/". */
export const TAIL_REST: i32 = 2;
export const TAILS: i32 = 3;

/** What a path must be made of. The prefix `/a/` is `a` and TAIL_REST; a pattern for every path is TAIL_OPEN alone. */
export class PathPattern {
  constructor(
    public segments: string[],
    public tail: i32,
  ) {}
}

// Functions, so that no string is kept: the garbage collector, which runs after every answer of the control plane, visits
// all that is.
export function expectedPath(): string {
  return `${shape()}, "{", "}" or a segment "*" (template has {name})`;
}

export function expectedTemplate(): string {
  return `${shape()}; {name} is a whole segment, {name*} the last one, each name once`;
}

function shape(): string {
  const size = `${MAX_ROUTE_PATH_CHARS} visible ASCII characters in at most ${MAX_ROUTE_SEGMENTS} segments`;
  return `"/" and at most ${size}, without "?", "#"`;
}

export function isRoutePath(text: string): bool {
  if (!hasShape(text) || text.includes("{") || text.includes("}")) return false;
  const segments = segmentsOf(text);
  return !segments.includes("*") && !segments.includes("**");
}

export function isRouteTemplate(text: string): bool {
  if (!hasShape(text)) return false;
  const segments = segmentsOf(text);
  const names: string[] = [];
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i];
    if (segment == "*" || segment == "**") return false;
    if (!segment.includes("{") && !segment.includes("}")) continue;
    if (segment.length < 3 || !segment.startsWith("{") || !segment.endsWith("}")) return false;
    const isRest = segment.endsWith("*}");
    if (isRest && i != segments.length - 1) return false;
    const name = segment.substring(1, segment.length - (isRest ? 2 : 1));
    if (!isWord(name, <i32>MAX_NAME_CHARS) || names.includes(name)) return false;
    names.push(name);
  }
  return true;
}

/** @param match with a path that was validated */
export function pathPatternOf(match: RouteMatch): PathPattern {
  if (match.pathKind == PATH_ANY) return new PathPattern([], TAIL_OPEN);
  const segments = segmentsOf(match.path);
  const last = segments[segments.length - 1];
  if (match.pathKind == PATH_PREFIX) {
    if (last.length > 0) return new PathPattern(segments, TAIL_OPEN);
    return new PathPattern(segments.slice(0, -1), TAIL_REST);
  }
  if (match.pathKind == PATH_TEMPLATE) {
    if (last.endsWith("*}")) return new PathPattern(wildOf(segments.slice(0, -1)), TAIL_REST);
    return new PathPattern(wildOf(segments), TAIL_END);
  }
  return new PathPattern(segments, TAIL_END);
}

function wildOf(segments: string[]): string[] {
  for (let i = 0; i < segments.length; i++) if (segments[i].startsWith("{")) segments[i] = ONE_SEGMENT;
  return segments;
}

function hasShape(text: string): bool {
  if (!text.startsWith("/") || text.length > MAX_ROUTE_PATH_CHARS) return false;
  let segments = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x21 || unit > 0x7e || unit == 0x3f || unit == 0x23) return false;
    if (unit == 0x2f) segments++;
  }
  return segments <= MAX_ROUTE_SEGMENTS;
}

/** `/a/b` is `a` and `b`; `/` is one empty segment. */
function segmentsOf(path: string): string[] {
  return path.substring(1).split("/");
}
