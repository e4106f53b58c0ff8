// An invariant that did not hold.

export type Invariant = "1" | "3" | "9" | "11" | "consumed" | "acknowledged" | "idle" | "quiet" | "trap";

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
