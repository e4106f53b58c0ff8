// An operator's document, YAML or JSON, to a policy or edge settings, or to faults with their line and column.
import { MAX_FAULTS, MAX_POLICY_BYTES, MAX_SETTINGS_BYTES } from "../../../../assembly/contract.js";
import { judgePolicyJson, judgeSettingsJson, kindOfJson } from "./validator.js";
import type { Fault, JudgedPolicy, JudgedSettings, PlacedFault } from "./policy.js";
import { readYaml, type YamlDocument, type YamlFault } from "./yaml-document.js";
import { offsetOfPath } from "./yaml-position.js";
import { yamlToJson } from "./yaml-to-json.js";

/** At most 100, in the order of the document. */
interface Refused {
  readonly faults: readonly PlacedFault[];
}

export type PolicyVerdict = JudgedPolicy | Refused;
export type SettingsVerdict = JudgedSettings | Refused;

/** Without a kind: the text could not be read as far as that. */
export type DocumentVerdict =
  | ({ readonly kind: "policy" } & PolicyVerdict)
  | ({ readonly kind: "settings" } & SettingsVerdict)
  | ({ readonly kind?: undefined } & Refused);

/** A policy and nothing else: what the control plane takes. */
export function readPolicyDocument(text: string): PolicyVerdict {
  const read = readJson(text, MAX_POLICY_BYTES);
  if ("faults" in read) return read;
  const verdict = judgePolicyJson(read.json);
  if ("faults" in verdict) return { faults: read.placed(verdict.faults) };
  // Defaults filled in and everything escaped, it may be longer than what was written.
  const sentBytes = Buffer.byteLength(verdict.policyJson);
  if (sentBytes <= MAX_POLICY_BYTES) return verdict;
  return tooLong(`expected at most ${MAX_POLICY_BYTES} bytes as edges are sent it, got ${sentBytes}`);
}

/** Edge settings and nothing else: what stands in Envoy. */
export function readSettingsDocument(text: string): SettingsVerdict {
  const read = readJson(text, MAX_SETTINGS_BYTES);
  if ("faults" in read) return read;
  const verdict = judgeSettingsJson(read.json);
  return "faults" in verdict ? { faults: read.placed(verdict.faults) } : verdict;
}

/** Whichever of the two it means to be. */
export function readDocument(text: string): DocumentVerdict {
  const read = readJson(text, MAX_SETTINGS_BYTES);
  if ("faults" in read) return read;
  const kind = kindOfJson(read.json);
  return kind === "policy" ? { kind, ...readPolicyDocument(text) } : { kind, ...readSettingsDocument(text) };
}

interface ReadJson {
  readonly json: string;
  /** The judge's faults, in the order of the document. */
  readonly placed: (faults: readonly Fault[]) => PlacedFault[];
}

function readJson(text: string, maxBytes: number): ReadJson | Refused {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) return tooLong(`expected at most ${maxBytes} bytes, got ${bytes}`);
  const document = readYaml(text);
  if (document.faults.length > 0) return { faults: yamlFaults(document.faults, document) };
  const { json, faults } = yamlToJson(document.contents);
  if (faults.length > 0) return { faults: yamlFaults(faults, document) };
  return { json, placed: (found) => placed(found, document) };
}

const tooLong = (message: string): Refused => ({ faults: [{ path: "", message, line: 1, column: 1 }] });

function yamlFaults(faults: readonly YamlFault[], { placeOf }: YamlDocument): PlacedFault[] {
  return faults
    .slice(0, MAX_FAULTS)
    .map(({ message, offset }) => ({ path: "", message: `not accepted as YAML: ${message}`, ...placeOf(offset) }));
}

function placed(faults: readonly Fault[], { contents, placeOf }: YamlDocument): PlacedFault[] {
  return faults
    .map((fault) => ({ ...fault, ...placeOf(offsetOfPath(contents, fault.path)) }))
    .sort((a, b) => a.line - b.line || a.column - b.column);
}
