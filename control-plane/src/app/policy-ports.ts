// What the policy service needs from outside, and what it gives to whoever sends the policy to edges.
import type { PlansOfPolicy } from "../domain/plan.js";

/** Where an operator writes the policy. */
export interface PolicySource {
  /** For people: the file's path. */
  readonly name: string;
  /** The whole text as it is now. Rejects where there is none or it cannot be read. */
  read(): Promise<string>;
  /**
   * Calls `onChange` after each change, once the source is at rest, never twice at a time. Resolved with false, it is
   * called again a little later. Returns how to stop.
   */
  watch(onChange: () => Promise<boolean>): () => void;
}

/** One thing that is wrong with a policy. Lines and columns count from 1; null where a fault has no place. */
export interface PolicyFault {
  /** `plans[1].maxTokens`; empty for the document as a whole. */
  readonly path: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
}

export interface JudgedPolicy {
  readonly policy: PlansOfPolicy;
  /** Defaults filled in; the same policy always gives the same text. */
  readonly policyJson: string;
}

export type PolicyReading = JudgedPolicy | { readonly faults: readonly PolicyFault[] };

/** The one judge of policies (domain/policy). */
export interface PolicyJudge {
  /** Reads YAML, which JSON is too. */
  readPolicyDocument(text: string): PolicyReading;
  /** The text for an edge: the policy with its number and a nonce that no other push has. */
  pushedPolicyJson(policyJson: string, generation: number, revision: string): string;
}

/** The policy in force as edges are sent it. Immutable. */
export interface PublishedPolicy {
  readonly generation: number;
  pushedJson(revision: string): string;
}

export interface PolicyPublisher {
  published(): PublishedPolicy;
  /** Calls back after each change of what `published` answers. Returns how to end that. */
  subscribe(listener: () => void): () => void;
}
