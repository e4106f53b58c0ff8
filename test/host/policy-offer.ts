// A policy as the control plane answers a watch with it: the bytes alone, and what they are in headers.
import { createHash } from "node:crypto";
import {
  HEADER_GENERATION,
  HEADER_LOG,
  HEADER_POLICY_HASH,
  HEADER_REPORT_SPREAD,
  POLICY_HASH_CHARS,
} from "../../assembly/contract.js";
import type { Callout } from "./callouts.js";
import { Edge, LOG, type EdgeOptions, type PolicyDocument } from "./edge.js";

export interface Offered {
  readonly generation?: number;
  readonly log?: string;
  /** Another than the bytes have. */
  readonly hash?: string;
  readonly spreadMs?: number;
}

/** What is heard of a policy, as a watch says it. */
export interface HeardOf {
  readonly policy?: { log: string; generation: number; hash: string; state: string; violations?: object[] };
  readonly follow: boolean;
}

/** An edge whose settings have no policy. */
export function edgeWithoutPolicy(options: EdgeOptions = {}): Edge {
  return new Edge({ policy: null, ...options });
}

export function offer(watch: Callout, policy: PolicyDocument | string, offered: Offered = {}): void {
  const bytes = typeof policy === "string" ? policy : JSON.stringify(policy);
  watch.answer(200, bytes, headersOf(bytes, offered));
}

export function headersOf(bytes: string, offered: Offered = {}): Record<string, string> {
  return {
    "content-type": "application/json",
    [HEADER_LOG]: offered.log ?? LOG,
    [HEADER_GENERATION]: String(offered.generation ?? 1),
    [HEADER_POLICY_HASH]: offered.hash ?? policyHash(bytes),
    [HEADER_REPORT_SPREAD]: String(offered.spreadMs ?? 0),
  };
}

export function policyHash(bytes: string): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, POLICY_HASH_CHARS);
}

export function heardOf(watch: Callout): HeardOf["policy"] {
  return (watch.json as HeardOf).policy;
}
