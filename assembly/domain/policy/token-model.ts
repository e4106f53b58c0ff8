// Where a policy says that the token is, and what is said of the session to the service and to access logs.

export const SOURCE_HEADER: u8 = 0;
export const SOURCE_BEARER: u8 = 1;
export const SOURCE_COOKIE: u8 = 2;

/** The one authentication scheme that carries a token. */
export const BEARER: string = "Bearer";

export const DEFAULT_HEADER: string = "x-session-id";

/** One place of a token. */
export class TokenSource {
  constructor(
    /** SOURCE_…. */
    public kind: u8,
    /** Of the header, in lower case, or of the cookie; of a Bearer token there is none. */
    public name: string,
  ) {}
}

/** Shared by all policies that say nothing of it; never changed. */
export const DEFAULT_SOURCES: TokenSource[] = [new TokenSource(SOURCE_HEADER, DEFAULT_HEADER)];

// What is said of a request in access logs: each a bit of `Policy.annotate`.
export const ANNOTATE_SESSION: u8 = 1;
export const ANNOTATE_PLAN: u8 = 2;
export const ANNOTATE_DECISION: u8 = 4;
export const ANNOTATE_LIMIT: u8 = 8;
/** Their words, in the order of the bits. */
export const ANNOTATIONS: StaticArray<string> = ["session", "plan", "decision", "limit"];
