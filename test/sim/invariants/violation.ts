// An invariant that did not hold.

export type Invariant =
  | ("1" | "3" | "9" | "11" | "consumed" | "acknowledged" | "trusted" | "idle" | "quiet" | "trap")
  // Of leases: what they let in, and when.
  | "lease"
  // Of further limits: pairs in a set, what is taken from each, who is denied, and what the control plane knows.
  | ("annex" | "limit" | "denied" | "levels")
  // Of the policy: what stands in shared data, who tries and who takes it, and what comes of requests and counts.
  | ("bell" | "bytes" | "twice" | "result" | "policy" | "held" | "decided" | "counted");

export class Violation extends Error {
  constructor(
    readonly invariant: Invariant,
    what: string,
  ) {
    super(`invariant ${invariant}: ${what}`);
  }
}

export function fail(invariant: Invariant, what: string): never {
  throw new Violation(invariant, what);
}
