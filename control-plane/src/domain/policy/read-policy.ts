// An operator's document, YAML or JSON, to a policy or edge settings, or to violations with their line and column.
import { MAX_VIOLATIONS, MAX_POLICY_BYTES, MAX_SETTINGS_BYTES } from "../../../../assembly/contract.js";
import { validatePolicyJson, validateSettingsJson, kindOfJson } from "./validator.js";
import type { Violation, ValidatedPolicy, ValidatedSettings, LocatedViolation } from "./policy.js";
import { readText } from "./source-text.js";
import { readYaml, type YamlDocument, type YamlViolation } from "./yaml-document.js";
import { offsetOfPath } from "./yaml-position.js";
import { yamlToJson } from "./yaml-to-json.js";

/** At most 100, in the order of the document. */
interface Rejected {
  readonly violations: readonly LocatedViolation[];
}

export type PolicyResult = ValidatedPolicy | Rejected;
export type SettingsResult = ValidatedSettings | Rejected;

/** Without a kind: the text could not be read as far as that. */
export type DocumentResult =
  | ({ readonly kind: "policy" } & PolicyResult)
  | ({ readonly kind: "settings" } & SettingsResult)
  | ({ readonly kind?: undefined } & Rejected);

/** As it was written, in bytes; or decoded from them, where they were UTF-8. */
export type DocumentSource = string | Uint8Array;

/** A policy and nothing else: what the control plane takes. */
export function readPolicyDocument(source: DocumentSource): PolicyResult {
  const read = readJson(source, MAX_POLICY_BYTES);
  if ("violations" in read) return read;
  const result = validatePolicyJson(read.json);
  if ("violations" in result) return { violations: read.located(result.violations) };
  // Defaults filled in and everything escaped, it may be longer than what was written.
  const sentBytes = Buffer.byteLength(result.policyJson);
  if (sentBytes <= MAX_POLICY_BYTES) return result;
  return tooLong(`expected at most ${MAX_POLICY_BYTES} bytes as edges are sent it, got ${sentBytes}`);
}

/** Edge settings and nothing else: what stands in Envoy. */
export function readSettingsDocument(source: DocumentSource): SettingsResult {
  const read = readJson(source, MAX_SETTINGS_BYTES);
  if ("violations" in read) return read;
  const result = validateSettingsJson(read.json);
  return "violations" in result ? { violations: read.located(result.violations) } : result;
}

/** Whichever of the two it means to be. */
export function readDocument(source: DocumentSource): DocumentResult {
  const read = readJson(source, MAX_SETTINGS_BYTES);
  if ("violations" in read) return read;
  const kind = kindOfJson(read.json);
  return kind === "policy" ? { kind, ...readPolicyDocument(source) } : { kind, ...readSettingsDocument(source) };
}

interface ReadJson {
  readonly json: string;
  /** The validator's violations, in the order of the document. */
  readonly located: (violations: readonly Violation[]) => LocatedViolation[];
}

function readJson(source: DocumentSource, maxBytes: number): ReadJson | Rejected {
  const bytes = typeof source === "string" ? Buffer.byteLength(source) : source.byteLength;
  if (bytes > maxBytes) return tooLong(`expected at most ${maxBytes} bytes, got ${bytes}`);
  const { text, violation } = readText(source);
  if (violation !== undefined) return { violations: [{ path: "", ...violation }] };
  const document = readYaml(text);
  if (document.violations.length > 0) return { violations: yamlViolations(document.violations, document) };
  const { json, violations } = yamlToJson(document.contents, text);
  if (violations.length > 0) return { violations: yamlViolations(violations, document) };
  return { json, located: (found) => located(found, document) };
}

const tooLong = (message: string): Rejected => ({ violations: [{ path: "", message, line: 1, column: 1 }] });

function yamlViolations(violations: readonly YamlViolation[], { positionOf }: YamlDocument): LocatedViolation[] {
  return violations
    .slice(0, MAX_VIOLATIONS)
    .map(({ message, offset }) => ({ path: "", message: `not accepted as YAML: ${message}`, ...positionOf(offset) }));
}

function located(violations: readonly Violation[], { contents, positionOf }: YamlDocument): LocatedViolation[] {
  return violations
    .map((violation) => ({ ...violation, ...positionOf(offsetOfPath(contents, violation.path)) }))
    .sort((a, b) => a.line - b.line || a.column - b.column);
}
