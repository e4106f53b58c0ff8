// What is wrong with an installation: one thing, what it is of, and what mends it.

export interface Finding {
  /** For programs: `SECRET_DIFFERS`. */
  readonly code: string;
  /** `control plane`, `envoy http://127.0.0.1:9901`, `edge gw-1`. */
  readonly about: string;
  /** One line. */
  readonly what: string;
  /** One line. */
  readonly act: string;
}

/** Without what an earlier one says already of the same edge. */
export function withoutRepeats(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings.filter(({ code, about }) => {
    const key = `${code} ${about}`;
    return seen.has(key) ? false : seen.add(key);
  });
}
