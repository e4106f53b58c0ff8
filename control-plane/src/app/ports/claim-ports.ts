// What only one control plane does at a time: who has it, for how long.

/**
 * A claim only avoids double work: every write is conditional anyway. So one that is believed for a moment too long, or by
 * two, harms nothing. Each process has claims of its own, and they lapse by themselves where it dies.
 */
export interface Claims {
  /**
   * True: this process has the claim for `forMs` from now, also where it had it before. False: another has it.
   * Rejects with StoreUnwritable where the store cannot be asked: then nobody knows, and it counts as not taken.
   * @param name of the work, at most 100 characters
   */
  take(name: string, forMs: number): Promise<boolean>;
  /** Lets others have it at once; nothing where this process does not have it. Rejects as above. */
  release(name: string): Promise<void>;
}

/** What is done under a claim. */
export const CLAIMED_KINDS = ["sweep", "retention", "log-retention", "bulk-revocation"] as const;
export type ClaimedKind = (typeof CLAIMED_KINDS)[number];

/** elsewhere: another process is at it. unknown: the store could not be asked. */
export const CLAIM_OUTCOMES = ["taken", "elsewhere", "unknown"] as const;
export type ClaimOutcome = (typeof CLAIM_OUTCOMES)[number];

/** Who does the work, for whoever counts it. */
export interface ClaimMeter {
  /** Each time that the work was due in this process. */
  claimed(kind: ClaimedKind, outcome: ClaimOutcome): void;
}

/** Of a store that one process has for itself. */
export const ALL_CLAIMS: Claims = { take: () => Promise.resolve(true), release: () => Promise.resolve() };
