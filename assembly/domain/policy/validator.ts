// Judges a policy: text in; either every fault, or the policy with its defaults filled in.
import { MAX_POLICY_BYTES } from "../../contract";
import { readFields } from "./document";
import { Fault, Faults } from "./violations";
import { Policy } from "./model";
import { judgePolicyFields } from "./policy-fields";

/** `policy` is null exactly when there are faults, of which there are at most MAX_FAULTS. */
export class Verdict {
  constructor(
    public faults: Fault[],
    public policy: Policy | null,
  ) {}
}

/** Judges a policy document in JSON. It decides from the text alone and never traps. */
export function judgePolicy(text: string): Verdict {
  const faults = new Faults();
  const fields = readFields(text, MAX_POLICY_BYTES, faults);
  if (fields === null) return new Verdict(faults.list, null);
  const policy = judgePolicyFields(fields, faults);
  return new Verdict(faults.list, faults.list.length == 0 ? policy : null);
}
