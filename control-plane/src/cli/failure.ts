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
  /** `doctor` found something to mend. */
  findings: 7,
  /** A violation of this program. */
  internal: 70,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** As `sluice help exit-codes` and docs/cli.md have them. */
export const EXIT_CODES: readonly { readonly code: ExitCode; readonly what: string; readonly act: string }[] = [
  { code: EXIT.done, what: "done", act: "" },
  {
    code: EXIT.denied,
    what: "not done: no such session, it has ended, a field is wrong, the policy has violations, a token is not genuine",
    act: "read the message; repeating does not help",
  },
  {
    code: EXIT.usage,
    what: "the command line, the environment or the configuration file cannot be used; nothing was sent",
    act: "see --help",
  },
  {
    code: EXIT.unreachable,
    what: "unreachable: no answer, no connection, or TLS failed",
    act: "look at the control plane and SLUICE_URL; sluice doctor",
  },
  { code: EXIT.notAllowed, what: "the token is wrong, or of a kind that may not do this", act: "use another token" },
  {
    code: EXIT.unavailable,
    what: "unavailable: overloaded, not ready, failed, or not a Sluice that answers",
    act: "wait and try again",
  },
  {
    code: EXIT.unconfirmed,
    what: "the sessions are revoked, and some edge has not confirmed in time: it may still admit them",
    act: "look at the edges that are named; repeat the command to wait again",
  },
  { code: EXIT.findings, what: "sluice doctor has found something to mend", act: "mend it, from the top" },
  { code: EXIT.internal, what: "a defect of this program", act: "report it" },
];

export interface Failure {
  readonly exit: ExitCode;
  /**
   * The API's code, or one of this program's: USAGE, UNREACHABLE, UNEXPECTED_ANSWER, POLICY_REJECTED, SETTINGS_REJECTED,
   * TOKEN_MALFORMED, TOKEN_NOT_GENUINE, STORE_FAILED, UNCONFIRMED, FINDINGS.
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
