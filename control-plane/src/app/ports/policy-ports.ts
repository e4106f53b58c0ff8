// What the policy service needs from outside, and what it gives to whoever gives edges their policy.
import type { PlansOfPolicy } from "../../domain/plan.js";
import type { LocatedViolation, ValidatedPolicy, Violation } from "../../domain/policy/policy.js";
import type { ActivePolicy } from "./ports.js";

/** Bytes as a file holds them, in UTF-8 if they are a policy's. */
export type PolicyText = string | Uint8Array;

/** One thing that is wrong with a policy. Lines and columns count from 1; null where a violation has no position. */
export interface PolicyViolation extends Violation {
  readonly line: LocatedViolation["line"] | null;
  readonly column: LocatedViolation["column"] | null;
}

/** As much of a validated policy as the service needs. */
export interface AcceptedPolicy extends Pick<ValidatedPolicy, "policyJson"> {
  readonly policy: PlansOfPolicy;
}

export type PolicyReading = AcceptedPolicy | { readonly violations: readonly PolicyViolation[] };

/** The one validator of policies (domain/policy). */
export interface PolicyValidator {
  /** Reads YAML, which JSON is too. */
  readPolicyDocument(text: PolicyText): PolicyReading;
}

/** A policy as edges are given it. Immutable. */
export interface PublishedPolicy extends ActivePolicy {
  /** Canonical JSON in UTF-8: one buffer for everyone who is given it. */
  readonly bytes: Buffer;
  /** Of the bytes, as the filter computes it too. */
  readonly hash: string;
  /** Since when this process offers it, monotonic ms. */
  readonly sinceMs: number;
  /** When this process decided it, monotonic ms; null where it found it stored. */
  readonly decidedAtMs: number | null;
}

export interface PolicyPublisher {
  /**
   * What the edge of this name is to run; undefined until the first policy was loaded. Whatever is sent to an edge or
   * said of it asks here, and nobody takes the newest policy to be the edge's.
   */
  published(edge: string): PublishedPolicy | undefined;
  /** Calls back after each change of what `published` answers. Returns how to end that. */
  subscribe(listener: () => void): () => void;
  /** An edge has received this generation, of our log: where it is higher than ours, the store is read again. */
  shown(generation: number): void;
}
