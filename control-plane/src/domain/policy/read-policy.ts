// An operator's document, YAML or JSON, to a policy or edge settings, or to violations with their line and column.
import { MAX_POLICY_BYTES, MAX_SETTINGS_BYTES } from "../../../../assembly/contract.js";
import { validatePolicyJson, validateSettingsJson, kindOfJson } from "./validator.js";
import type { ValidatedPolicy, ValidatedSettings } from "./policy.js";
import { readYamlSource, tooLong } from "../yaml/yaml-source.js";
import type { DocumentSource, Rejected } from "../yaml/yaml-source.js";

export type PolicyResult = ValidatedPolicy | Rejected;
export type SettingsResult = ValidatedSettings | Rejected;

/** Without a kind: the text could not be read as far as that. */
export type DocumentResult =
  | ({ readonly kind: "policy" } & PolicyResult)
  | ({ readonly kind: "settings" } & SettingsResult)
  | ({ readonly kind?: undefined } & Rejected);

/** A policy and nothing else: what the control plane takes. */
export function readPolicyDocument(source: DocumentSource): PolicyResult {
  const read = readYamlSource(source, MAX_POLICY_BYTES);
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
  const read = readYamlSource(source, MAX_SETTINGS_BYTES);
  if ("violations" in read) return read;
  const result = validateSettingsJson(read.json);
  return "violations" in result ? { violations: read.located(result.violations) } : result;
}

/** Whichever of the two it means to be. */
export function readDocument(source: DocumentSource): DocumentResult {
  const read = readYamlSource(source, MAX_SETTINGS_BYTES);
  if ("violations" in read) return read;
  const kind = kindOfJson(read.json);
  return kind === "policy" ? { kind, ...readPolicyDocument(source) } : { kind, ...readSettingsDocument(source) };
}
