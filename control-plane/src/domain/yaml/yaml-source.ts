// A YAML text within its bounds, as tree and as JSON, with the position of whatever is said of it; or what is wrong with it.
import type { ParsedNode } from "yaml";

import { MAX_VIOLATIONS } from "../../../../assembly/contract.js";
import type { LocatedViolation, Violation } from "../policy/policy.js";
import { readText } from "./source-text.js";
import type { Position } from "./text-position.js";
import { readYaml, type YamlDocument, type YamlViolation } from "./yaml-document.js";
import { offsetOfPath } from "./yaml-position.js";
import { yamlToJson } from "./yaml-to-json.js";

/** As it was written, in bytes; or decoded from them, where they were UTF-8. */
export type DocumentSource = string | Uint8Array;

/** At most 100, in the order of the document. */
export interface Rejected {
  readonly violations: readonly LocatedViolation[];
}

export interface YamlSource {
  /** Null where the document is empty. It has no anchor, alias or tag. */
  readonly contents: ParsedNode | null;
  readonly json: string;
  /** Of an offset in the text. */
  readonly positionOf: (offset: number) => Position;
  /** Violations of the JSON, in the order of the document. */
  readonly located: (violations: readonly Violation[]) => LocatedViolation[];
}

export function readYamlSource(source: DocumentSource, maxBytes: number): YamlSource | Rejected {
  const bytes = typeof source === "string" ? Buffer.byteLength(source) : source.byteLength;
  if (bytes > maxBytes) return tooLong(`expected at most ${maxBytes} bytes, got ${bytes}`);
  const { text, violation } = readText(source);
  if (violation !== undefined) return { violations: [{ path: "", ...violation }] };
  const document = readYaml(text);
  if (document.violations.length > 0) return { violations: yamlViolations(document.violations, document) };
  const { contents, positionOf } = document;
  const { json, violations } = yamlToJson(contents, text);
  if (violations.length > 0) return { violations: yamlViolations(violations, document) };
  return { contents, json, positionOf, located: (found) => located(found, document) };
}

export const tooLong = (message: string): Rejected => ({ violations: [{ path: "", message, line: 1, column: 1 }] });

/** As people read a document. */
export const inOrder = (violations: readonly LocatedViolation[]): LocatedViolation[] =>
  [...violations].sort((a, b) => a.line - b.line || a.column - b.column);

function yamlViolations(violations: readonly YamlViolation[], { positionOf }: YamlDocument): LocatedViolation[] {
  return violations
    .slice(0, MAX_VIOLATIONS)
    .map(({ message, offset }) => ({ path: "", message: `not accepted as YAML: ${message}`, ...positionOf(offset) }));
}

function located(violations: readonly Violation[], { contents, positionOf }: YamlDocument): LocatedViolation[] {
  return inOrder(
    violations.map((violation) => ({ ...violation, ...positionOf(offsetOfPath(contents, violation.path)) })),
  );
}
