// An issuer as a list of issuers has it: whose token it is, and what that may be used for.

/** What an issuer may do, with the sessions that it issued. */
export const SCOPES = ["issue", "read", "revoke"] as const;
export type Scope = (typeof SCOPES)[number];

/** One token of an issuer. Several of one name are of one issuer, as during a rotation. */
export interface IssuerToken {
  readonly name: string;
  /** In lower case. */
  readonly tokenSha256: string;
  readonly scopes: ReadonlySet<Scope>;
  /** The one organisation that it issues for and sees; null: any. */
  readonly orgId: string | null;
}
