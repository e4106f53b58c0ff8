// How a violation in a document is shown: as compilers do, so that editors find the place.

export interface ShownViolation {
  readonly path: string;
  /** Neither: it is wrong as a whole. */
  readonly line?: number | null;
  readonly column?: number | null;
  readonly message: string;
}

/** `policy.yaml:12:22: plans[1].maxTokens: expected …`. */
export function violationLine(source: string, { path, line, column, message }: ShownViolation): string {
  const position = typeof line !== "number" ? source : `${source}:${line}:${column ?? 1}`;
  return path === "" ? `${position}: ${message}` : `${position}: ${path}: ${message}`;
}
