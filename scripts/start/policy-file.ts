// The operator's policy file, validated before anything is started with it.
import { MAX_POLICY_BYTES } from "../../assembly/contract.js";
import type { Policy } from "../../control-plane/src/domain/policy/policy.js";
import { readPolicyDocument } from "../../control-plane/src/domain/policy/read-policy.js";
import { Failure } from "../failure.js";
import { operatorFiles } from "../operator-files.js";

/** Rejects with a Failure that has every violation and its position when the file cannot be read or is no policy. */
export async function requirePolicy(file: string): Promise<Policy> {
  const result = readPolicyDocument(await contentOf(file));
  if ("policy" in result) return result.policy;
  const violations = result.violations.map(({ line, column, path, message }) => {
    return `\n  ${file}:${line}:${column} ${path === "" ? "" : `${path}: `}${message}`;
  });
  throw new Failure(`The policy cannot be used:${violations.join("")}`);
}

async function contentOf(file: string): Promise<Uint8Array> {
  try {
    return await operatorFiles.read(file, MAX_POLICY_BYTES);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`The policy (SLUICE_POLICY) cannot be read: ${reason}.`);
  }
}
