// The hash by which edges and the control plane name a policy.
import { createHash } from "node:crypto";
import { POLICY_HASH_CHARS } from "../../../../assembly/contract.js";

/**
 * The first 64 bits of SHA-256, in hex.
 * @param policyJson the canonical JSON of a policy, wherever it stands: equal policies have equal hashes
 */
export const policyHash = (policyJson: string | Uint8Array): string =>
  createHash("sha256").update(policyJson).digest("hex").slice(0, POLICY_HASH_CHARS);
