// Who may administer: operators and issuers, the public name of each, and what each may do.
import { OPERATORS } from "../../domain/idempotency-key.js";
import type { IssuedBy } from "../../domain/issued-by.js";
import { SCOPES } from "../../domain/issuers/issuer.js";
import type { IssuerToken, Scope } from "../../domain/issuers/issuer.js";
import { digitsOf, sha256Of } from "../../domain/token-hash.js";
import type { Credential } from "./credential.js";

/** issuer: what its scopes allow, with sessions that it issued. operator: everything. */
export type AdminKind = "issuer" | "operator";

interface Caller {
  /** Stands on the sessions that it issues: an issuer's name, which outlives its tokens; an operator's `actor`. */
  readonly name: string;
  /** For the audit log: also which of several tokens it was. */
  readonly actor: string;
  /**
   * Whose Idempotency-Keys it uses, and whose rate: an issuer's name, or that of all operators. So a request that is
   * repeated with the new token of a rotation is known.
   */
  readonly keyOwner: string;
}

export interface Operator extends Caller {
  readonly kind: "operator";
}

export interface Issuer extends Caller, Pick<IssuerToken, "scopes" | "orgId"> {
  readonly kind: "issuer";
}

export type Admin = Operator | Issuer;

/** A token of the environment. */
export interface AdminToken {
  readonly kind: AdminKind;
  readonly token: string;
}

/** 16 random characters of base64 are 96 bits. */
export const MIN_TOKEN_CHARS = 16;
export const MAX_TOKEN_CHARS = 256;

/** The name of the issuer whose tokens are SLUICE_ISSUER_TOKEN. */
export const ISSUER_OF_ENVIRONMENT = "issuer";

/** `operator:1f2e3d4c`, `issuer:login:1f2e3d4c`. */
export function adminName({ kind, token }: AdminToken): string {
  return adminOf({ kind, token }).actor;
}

export const ofAdmins = (tokens: readonly AdminToken[]): Credential<Admin>[] =>
  tokens.map((one) => ({ secret: one.token, holder: adminOf(one) }));

function adminOf({ kind, token }: AdminToken): Admin {
  const tokenSha256 = sha256Of(token);
  if (kind === "issuer") {
    return issuerOf({ name: ISSUER_OF_ENVIRONMENT, tokenSha256, scopes: new Set(SCOPES), orgId: null });
  }
  const name = `${OPERATORS}:${digitsOf(tokenSha256)}`;
  return { kind, name, actor: name, keyOwner: OPERATORS };
}

export function issuerOf({ name, tokenSha256, scopes, orgId }: IssuerToken): Issuer {
  return { kind: "issuer", name, actor: `issuer:${name}:${digitsOf(tokenSha256)}`, keyOwner: name, scopes, orgId };
}

/** @param scope undefined: what operators alone may do */
export const may = (admin: Admin, scope: Scope | undefined): boolean =>
  admin.kind === "operator" || (scope !== undefined && admin.scopes.has(scope));

/** Whose sessions it sees; null: all. */
export const reachOf = (admin: Admin): IssuedBy | null =>
  admin.kind === "operator" ? null : { issuer: admin.name, orgId: admin.orgId };
