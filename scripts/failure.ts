// A failure that its reader can mend: the message is one sentence and is all that is shown of it.
export class Failure extends Error {
  override readonly name = "Failure";
}

/** What to show of anything thrown: a Failure's sentence alone, the stack of what nobody foresaw. */
export function describe(thrown: unknown): string {
  if (thrown instanceof Failure) return thrown.message;
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
