// Reads the fields of a YAML tree, and notes what is wrong with each, where it stands. No value is repeated: it may be a
// token, pasted where its hash belongs.
import { isMap, isScalar, isSeq, type ParsedNode } from "yaml";

import type { LocatedViolation } from "../policy/policy.js";
import type { Position } from "./text-position.js";

/** A node, and the way to it: `[0].scopes[1]`. Its offset is that of the key where the value is missing. */
export interface Place {
  readonly node: ParsedNode | null;
  readonly path: string;
  readonly offset: number;
}

export class FieldReader {
  readonly violations: LocatedViolation[] = [];

  constructor(private readonly positionOf: (offset: number) => Position) {}

  /** Answers null, so that whoever reads a field can answer with it. */
  violated({ path, offset }: Pick<Place, "path" | "offset">, message: string): null {
    this.violations.push({ path, message, ...this.positionOf(offset) });
    return null;
  }

  list(place: Place, expected: string): readonly Place[] | null {
    const { node, path } = place;
    if (!isSeq(node)) return this.violated(place, expected);
    return node.items.map((item, index) => ({ node: item, path: `${path}[${index}]`, offset: item.range[0] }));
  }

  /** The fields by name. What is none of `names`, or is there twice, is a violation. */
  fields<Name extends string>(place: Place, names: readonly Name[]): ReadonlyMap<Name, Place> | null {
    const { node, path } = place;
    if (!isMap(node)) return this.violated(place, `expected an object with the fields ${names.join(", ")}`);
    const fields = new Map<Name, Place>();
    for (const { key, value } of node.items) {
      const name = names.find((one) => isScalar(key) && key.value === one);
      const offset = key.range[0];
      if (name === undefined) this.violated({ path, offset }, `expected no field but ${names.join(", ")}`);
      else if (fields.has(name)) this.violated({ path: `${path}.${name}`, offset }, "the field is there again");
      else fields.set(name, { node: value, path: `${path}.${name}`, offset: isEmpty(value) ? offset : value.range[0] });
    }
    return fields;
  }

  /** @param pattern of the whole text */
  text(place: Place, expected: string, pattern: RegExp): string | null {
    const { node } = place;
    const value = isScalar(node) ? node.value : undefined;
    if (typeof value === "string") return pattern.test(value) ? value : this.violated(place, `expected ${expected}`);
    const inQuotes = typeof value === "number" || typeof value === "boolean" || typeof value === "bigint";
    return this.violated(
      place,
      `expected ${expected}${inQuotes ? ": put it in quotes, unquoted YAML takes it for another value" : ""}`,
    );
  }
}

const isEmpty = (value: ParsedNode | null): value is null => value === null || value.range[0] === value.range[1];
