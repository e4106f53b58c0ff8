// From a document's text to its fields, and which kind of document it means to be.
import { MAX_SETTINGS_BYTES } from "../../contract";
import { JSON_OBJECT } from "../json/node";
import { describePosition, readJson } from "../json/reader";
import { Violations } from "./violations";
import { Fields } from "./fields";
import { POLICY_ONLY } from "./field-documents";

/** The fields of the document, or null where it is too long, not JSON or no object; then there is a violation. */
export function readFields(text: string, maxBytes: u32, violations: Violations): Fields | null {
  const bytes = String.UTF8.byteLength(text);
  if (<u32>bytes > maxBytes) {
    violations.add("", `expected at most ${maxBytes} bytes of JSON, got ${bytes}`);
    return null;
  }
  const reading = readJson(text);
  const root = reading.root;
  if (root === null) {
    violations.add("", `not JSON: ${reading.message} at ${describePosition(text, reading.offset)}`);
    return null;
  }
  return Fields.of(root, "", violations);
}

/** Whether a document in JSON means to be a policy: whether it has a field that only a policy has. */
export function looksLikePolicy(text: string): bool {
  if (<u32>String.UTF8.byteLength(text) > MAX_SETTINGS_BYTES) return false;
  const root = readJson(text).root;
  if (root === null || root.kind != JSON_OBJECT) return false;
  for (let i = 0; i < POLICY_ONLY.length; i++) {
    if (root.names.includes(POLICY_ONLY[i])) return true;
  }
  return false;
}
