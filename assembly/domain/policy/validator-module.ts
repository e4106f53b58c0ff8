// The judge as a module of its own (build/judge): what the control plane and the command line load.
import { JsonWriter } from "../json/writer";
import { looksLikePolicy } from "./document";
import { Fault } from "./violations";
import { judgePolicy } from "./validator";
import { printPolicy, printSettings } from "./print";
import { judgeSettings } from "./settings";

/** Which kind of document a text is to be: whichever it looks like, a policy, or edge settings. */
const KIND_GUESS: i32 = 0;
const KIND_POLICY: i32 = 1;

/**
 * Judges a JSON document of the kind 0 (whichever it looks like), 1 (policy) or 2 (edge settings).
 * @returns `{"kind":"policy","faults":[{"path":"…","message":"…"}]}`, or `{"kind":"policy","policy":{…}}`, the policy
 * with its defaults filled in; for edge settings the same with `settings` for `policy`
 */
export function judge(text: string, kind: i32): string {
  const isPolicy = kind == KIND_POLICY || (kind == KIND_GUESS && looksLikePolicy(text));
  return isPolicy ? answerPolicy(text) : answerSettings(text);
}

function answerPolicy(text: string): string {
  const verdict = judgePolicy(text);
  const policy = verdict.policy;
  return answer("policy", policy === null ? "" : printPolicy(policy), verdict.faults);
}

function answerSettings(text: string): string {
  const verdict = judgeSettings(text);
  const settings = verdict.settings;
  return answer("settings", settings === null ? "" : printSettings(settings), verdict.faults);
}

/** @param document the canonical JSON; empty where there are faults */
function answer(kind: string, document: string, faults: Fault[]): string {
  const json = new JsonWriter();
  json.beginObject().name("kind").string(kind);
  if (document.length > 0) return json.name(kind).raw(document).endObject().toString();
  json.name("faults").beginArray();
  for (let i = 0; i < faults.length; i++) {
    json.beginObject().name("path").string(faults[i].path).name("message").string(faults[i].message).endObject();
  }
  return json.endArray().endObject().toString();
}
