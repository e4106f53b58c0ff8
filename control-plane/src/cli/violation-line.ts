// How a violation in a document is shown: as compilers do, so that editors find the place.
import type { LocatedViolation } from "../domain/policy/policy.js";

/** `policy.yaml:12:22: plans[1].maxTokens: expected …`. */
export function violationLine(name: string, { line, column, path, message }: LocatedViolation): string {
  return `${name}:${line}:${column}: ${path === "" ? message : `${path}: ${message}`}`;
}
