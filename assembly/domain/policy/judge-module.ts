// The judge as a module of its own (build/judge): what the control plane and the command line load.
import { JsonWriter } from "../json/writer";
import { judgePolicy } from "./judge";
import { printPolicy } from "./print";

/**
 * Judges a JSON document; see judgePolicy for `pushed`.
 * @returns `{"faults":[{"path":"…","message":"…"}]}` or `{"policy":{…}}`, the policy with its defaults filled in
 */
export function judge(text: string, pushed: bool): string {
  const verdict = judgePolicy(text, pushed);
  const json = new JsonWriter();
  json.beginObject();
  const policy = verdict.policy;
  if (policy !== null) {
    json.name("policy").raw(printPolicy(policy));
  } else {
    json.name("faults").beginArray();
    for (let i = 0; i < verdict.faults.length; i++) {
      const fault = verdict.faults[i];
      json.beginObject().name("path").string(fault.path).name("message").string(fault.message).endObject();
    }
    json.endArray();
  }
  return json.endObject().toString();
}
