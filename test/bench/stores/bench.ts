// What all parts of the comparison share: one installation's secrets and policy, a folder, and what is to be ended.
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { deriveKeys } from "../../../control-plane/src/domain/keys.js";
import { POLICY } from "../control-plane/stored-sessions.js";
import type { StoresArguments } from "./arguments.js";

export interface Bench {
  readonly quick: boolean;
  /** Options of node for control planes. */
  readonly flags: readonly string[];
  /** Where stores and logs are. */
  readonly folder: string;
  readonly policyFile: string;
  /** As SLUICE_SECRET holds it. */
  readonly secret: string;
  readonly adminToken: string;
  /** Values of `authorization`. */
  readonly edge: string;
  readonly admin: string;
  /** Says how far it is. */
  readonly say: (line: string) => void;
  /** Called at the end, the last one first. */
  readonly atEnd: (end: () => Promise<unknown>) => void;
}

/** With what ends it all, whatever has been started. */
export function newBench(
  { quick, profile }: StoresArguments,
  folder: string,
): { readonly bench: Bench; readonly end: () => Promise<void> } {
  const ends: (() => Promise<unknown>)[] = [];
  const policyFile = join(folder, "policy.yaml");
  writeFileSync(policyFile, POLICY);
  const secret = randomBytes(32);
  const adminToken = randomBytes(24).toString("base64url");
  const bench: Bench = {
    ...{ quick, folder, policyFile, adminToken, secret: secret.toString("hex") },
    flags: profile === null ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`],
    edge: `Bearer ${deriveKeys(secret).edgeCredential}`,
    admin: `Bearer ${adminToken}`,
    say: (line) => {
      console.error(`bench: ${line}`);
    },
    atEnd: (end) => void ends.push(end),
  };
  const end = async (): Promise<void> => {
    for (const one of ends.splice(0).toReversed()) await one().catch(() => undefined);
  };
  return { bench, end };
}
