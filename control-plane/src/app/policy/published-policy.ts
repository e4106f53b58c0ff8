// A policy as edges are given it: its exact bytes, encoded once, and their hash.
import { createHash } from "node:crypto";

import { POLICY_HASH_CHARS } from "../../../../assembly/contract.js";
import type { PublishedPolicy } from "../ports/policy-ports.js";

export interface Publishing extends Omit<PublishedPolicy, "bytes" | "hash"> {
  /** Canonical JSON. */
  readonly policyJson: string;
}

export function publishedPolicy({ generation, policyJson, sinceMs, decidedAtMs }: Publishing): PublishedPolicy {
  const bytes = Buffer.from(policyJson);
  return { generation, bytes, hash: policyHash(bytes), sinceMs, decidedAtMs };
}

/** The first 64 bits of SHA-256, in hex. */
const policyHash = (bytes: Uint8Array): string =>
  createHash("sha256").update(bytes).digest("hex").slice(0, POLICY_HASH_CHARS);
