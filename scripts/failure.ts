// A failure that the user can correct: its message is one sentence, and nothing else of it is shown.
export class Failure extends Error {
  override readonly name = "Failure";
}

/** What to show of anything thrown: a Failure's sentence alone, the stack of any other error. */
export function describe(thrown: unknown): string {
  if (thrown instanceof Failure) return thrown.message;
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
