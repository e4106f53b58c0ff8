// What operators are told of the policy, and what their word does.
import type { PolicyViolation, PublishedPolicy } from "../ports/policy-ports.js";
import type { HeldPolicy } from "./policy-hold.js";

/** What an operator's word has done. */
export type Confirmation =
  | { readonly outcome: "published"; readonly generation: number; readonly hash: string; readonly sessions: number }
  | { readonly outcome: "noneHeld" | "anotherHeld" }
  | { readonly outcome: "rejected"; readonly violations: readonly PolicyViolation[] };

/**
 * judged: live sessions are being counted, to see whether it would end any. behind: it is an older decision, which another
 * control plane over the same store has replaced.
 */
export type SourceState = "taken" | "judged" | "held" | "rejected" | "behind";

export interface PolicyStatus {
  readonly inForce: Pick<PublishedPolicy, "generation" | "hash">;
  /** Where the operator writes it, and what became of what stands there. */
  readonly source: { readonly name: string; readonly state: SourceState };
  /** Waits for an operator's word: the source is held or behind. */
  readonly held: HeldPolicy | undefined;
}
