// Holds two values against each other, and says in a line where they differ first.
import { inspect, isDeepStrictEqual } from "node:util";

export function expectEqual(what: string, got: unknown, wanted: unknown): void {
  if (isDeepStrictEqual(got, wanted)) return;
  const at = firstDifference(got, wanted, "");
  const shown = (value: unknown): string => inspect(value, { breakLength: Infinity });
  throw new Error(`${what}${at.path}: got ${shown(at.got)}, the reference has ${shown(at.wanted)}`);
}

interface Difference {
  readonly path: string;
  readonly got: unknown;
  readonly wanted: unknown;
}

function firstDifference(got: unknown, wanted: unknown, path: string): Difference {
  if (!isTree(got) || !isTree(wanted)) return { path, got, wanted };
  const keys = [...new Set([...Object.keys(got), ...Object.keys(wanted)])];
  const key = keys.find((one) => !isDeepStrictEqual(memberOf(got, one), memberOf(wanted, one)));
  if (key === undefined) return { path, got, wanted };
  return firstDifference(memberOf(got, key), memberOf(wanted, key), `${path}/${key}`);
}

const isTree = (value: unknown): value is object => typeof value === "object" && value !== null;
const memberOf = (tree: object, key: string): unknown => (tree as Record<string, unknown>)[key];
