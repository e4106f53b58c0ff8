// An operator's document, YAML or JSON, to a policy or to faults with their line and column.
import type { ParsedNode } from "yaml";
import { MAX_FAULTS, MAX_POLICY_BYTES } from "../../../../assembly/contract.js";
import { judgePolicyJson } from "./judge.js";
import type { Fault, JudgedPolicy, PlacedFault } from "./policy.js";
import { readYaml, type YamlDocument, type YamlFault } from "./yaml-document.js";
import { offsetOfPath } from "./yaml-place.js";
import { yamlToJson } from "./yaml-to-json.js";

/** Faults are at most 100, in the order of the document. */
export type PolicyVerdict = JudgedPolicy | { readonly faults: readonly PlacedFault[] };

export function readPolicyDocument(text: string): PolicyVerdict {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_POLICY_BYTES) return tooLong(`expected at most ${MAX_POLICY_BYTES} bytes, got ${bytes}`);
  const document = readYaml(text);
  if (document.faults.length > 0) return { faults: yamlFaults(document.faults, document) };
  const { json, faults } = yamlToJson(document.contents);
  if (faults.length > 0) return { faults: yamlFaults(faults, document) };
  const verdict = judgePolicyJson(json);
  if ("faults" in verdict) return { faults: placed(verdict.faults, document.contents, document) };
  // Defaults filled in and everything escaped, it may be longer than what was written.
  const sentBytes = Buffer.byteLength(verdict.policyJson);
  if (sentBytes <= MAX_POLICY_BYTES) return verdict;
  return tooLong(`expected at most ${MAX_POLICY_BYTES} bytes as edges are sent it, got ${sentBytes}`);
}

const tooLong = (message: string): PolicyVerdict => ({ faults: [{ path: "", message, line: 1, column: 1 }] });

function yamlFaults(faults: readonly YamlFault[], { placeOf }: YamlDocument): PlacedFault[] {
  return faults
    .slice(0, MAX_FAULTS)
    .map(({ message, offset }) => ({ path: "", message: `not accepted as YAML: ${message}`, ...placeOf(offset) }));
}

function placed(faults: readonly Fault[], contents: ParsedNode | null, { placeOf }: YamlDocument): PlacedFault[] {
  return faults
    .map((fault) => ({ ...fault, ...placeOf(offsetOfPath(contents, fault.path)) }))
    .sort((a, b) => a.line - b.line || a.column - b.column);
}
