// Finds the position in a YAML tree that a violation's path names.
import { isMap, isScalar, isSeq, type ParsedNode } from "yaml";

/** `name`, `.name`, `["any text"]` or `[3]`, as the validator writes them. */
const SEGMENT = /\.?([A-Za-z_][A-Za-z0-9_]*)|\[("(?:[^"\\]|\\.)*")\]|\[([0-9]+)\]/y;

/**
 * The offset of the path's field: its value where that is a scalar, else its key. Where the path leads nowhere, for a
 * field that is missing, that of the innermost field on the way.
 */
export function offsetOfPath(contents: ParsedNode | null, path: string): number {
  let node = contents;
  let offset = node?.range[0] ?? 0;
  for (const segment of segmentsOf(path)) {
    const next = typeof segment === "number" ? item(node, segment) : member(node, segment);
    if (next === null) break;
    node = next.node;
    offset = next.offset;
  }
  return offset;
}

interface Step {
  readonly node: ParsedNode | null;
  readonly offset: number;
}

function item(node: ParsedNode | null, index: number): Step | null {
  const found = isSeq(node) ? node.items[index] : undefined;
  return found === undefined ? null : { node: found, offset: found.range[0] };
}

/** Of a repeated key the last: its one violation is that it is there again. */
function member(node: ParsedNode | null, name: string): Step | null {
  if (!isMap(node)) return null;
  const pair = node.items.findLast(({ key }) => isScalar(key) && key.value === name);
  if (pair === undefined) return null;
  const { key, value } = pair;
  const isEmpty = value === null || value.range[0] === value.range[1];
  return { node: value, offset: isScalar(value) && !isEmpty ? value.range[0] : key.range[0] };
}

function segmentsOf(path: string): (string | number)[] {
  return [...path.matchAll(new RegExp(SEGMENT, "gy"))].map(([, name, quoted, index]) => {
    if (index !== undefined) return Number(index);
    return quoted === undefined ? (name ?? "") : (JSON.parse(quoted) as string);
  });
}
