// The validator as a module of its own (build/validator): what the control plane and the command line load.
import { JsonWriter } from "../json/writer";
import { looksLikePolicy } from "./document";
import { Violation } from "./violations";
import { validatePolicy } from "./validator";
import { printPolicy, printSettings } from "./print";
import { validateSettings } from "./settings";

/** Which kind of document a text is to be: whichever it looks like, a policy, or edge settings. */
const KIND_GUESS: i32 = 0;
const KIND_POLICY: i32 = 1;

/**
 * Validates a JSON document of the kind 0 (whichever it looks like), 1 (policy) or 2 (edge settings).
 * @returns `{"kind":"policy","violations":[{"path":"…","message":"…"}]}`, or `{"kind":"policy","policy":{…}}`, the policy
 * with its defaults filled in; for edge settings the same with `settings` for `policy`
 */
export function validate(text: string, kind: i32): string {
  const isPolicy = kind == KIND_POLICY || (kind == KIND_GUESS && looksLikePolicy(text));
  return isPolicy ? answerPolicy(text) : answerSettings(text);
}

function answerPolicy(text: string): string {
  const result = validatePolicy(text);
  const policy = result.policy;
  return answer("policy", policy === null ? "" : printPolicy(policy), result.violations);
}

function answerSettings(text: string): string {
  const result = validateSettings(text);
  const settings = result.settings;
  return answer("settings", settings === null ? "" : printSettings(settings), result.violations);
}

/** @param document the canonical JSON; empty where there are violations */
function answer(kind: string, document: string, violations: Violation[]): string {
  const json = new JsonWriter();
  json.beginObject().name("kind").string(kind);
  if (document.length > 0) return json.name(kind).raw(document).endObject().toString();
  json.name("violations").beginArray();
  for (let i = 0; i < violations.length; i++) {
    json
      .beginObject()
      .name("path")
      .string(violations[i].path)
      .name("message")
      .string(violations[i].message)
      .endObject();
  }
  return json.endArray().endObject().toString();
}
