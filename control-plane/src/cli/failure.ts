// How a command fails: as a value, with the exit code that scripts see.

/** Documented in docs/cli.md; scripts rely on them. */
export const EXIT = {
  done: 0,
  /** The control plane said no: there is no such session, it has ended, the policy is not accepted. */
  denied: 1,
  /** The command line or the environment cannot be used. Nothing was sent. */
  usage: 2,
  /** No answer: nobody listens, no such host, TLS failed, time ran out. */
  unreachable: 3,
  /** No token, a wrong one, or one of a kind that may not do this. */
  notAllowed: 4,
  /** An answer that says nothing of the request: the server is overloaded, not ready or broken, or is not Sluice's. */
  unavailable: 5,
  /** It is revoked, and some edge has not confirmed in time. */
  unconfirmed: 6,
  /** A violation of this program. */
  internal: 70,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface Failure {
  readonly exit: ExitCode;
  /**
   * The API's code, or one of this program's: USAGE, UNREACHABLE, UNEXPECTED_ANSWER, POLICY_REJECTED, SETTINGS_REJECTED,
   * TOKEN_MALFORMED, TOKEN_NOT_GENUINE, UNCONFIRMED.
   */
  readonly code: string;
  readonly message: string;
  /** The field that is wrong, where the API named one. */
  readonly field?: string;
  /** What to do about it. */
  readonly hint?: string;
}

export type Outcome<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly failure: Failure };

export const done = <Value>(value: Value): Outcome<Value> => ({ ok: true, value });
export const failed = (failure: Failure): { readonly ok: false; readonly failure: Failure } => ({ ok: false, failure });

export function usageFailure(message: string, hint?: string): Failure {
  const failure = { exit: EXIT.usage, code: "USAGE", message };
  return hint === undefined ? failure : { ...failure, hint };
}
