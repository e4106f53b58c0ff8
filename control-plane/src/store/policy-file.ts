// The policy in a file that people edit.
import { MAX_POLICY_BYTES } from "../../../assembly/contract.js";
import type { PolicySource } from "../app/ports/policy-ports.js";
import { followedFile } from "../files/followed-file.js";
import type { FollowedFileParts } from "../files/followed-file.js";

export const policyFile = (parts: Omit<FollowedFileParts, "maxBytes">): PolicySource =>
  followedFile({ ...parts, maxBytes: MAX_POLICY_BYTES });
