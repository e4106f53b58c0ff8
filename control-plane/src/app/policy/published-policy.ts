// A policy as edges are given it: its exact bytes, encoded once, and their hash.
import { policyHash } from "../../domain/policy/policy-hash.js";
import type { PublishedPolicy } from "../ports/policy-ports.js";

export interface Publishing extends Omit<PublishedPolicy, "bytes" | "hash"> {
  /** Canonical JSON. */
  readonly policyJson: string;
}

export function publishedPolicy({ policyJson, generation, policy, sinceMs, decidedAtMs }: Publishing): PublishedPolicy {
  const bytes = Buffer.from(policyJson);
  return { generation, policy, bytes, hash: policyHash(bytes), sinceMs, decidedAtMs };
}
