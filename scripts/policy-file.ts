// The policy as the filter reads it: judged by the same judge, in canonical JSON.
import { readFileSync } from "node:fs";
import { readPolicyDocument } from "../control-plane/src/domain/policy/read-policy.js";
import { Failure } from "./failure.js";

/** @throws Failure with every fault and its place when the file cannot be read or is no policy. */
export function policyJsonOf(file: string): string {
  const verdict = readPolicyDocument(textOf(file));
  if ("policyJson" in verdict) return verdict.policyJson;
  const faults = verdict.faults.map(({ line, column, path, message }) => {
    return `\n  ${file}:${line}:${column} ${path === "" ? "" : `${path}: `}${message}`;
  });
  throw new Failure(`The policy cannot be used:${faults.join("")}`);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`The policy (SLUICE_POLICY) cannot be read: ${reason}.`);
  }
}
