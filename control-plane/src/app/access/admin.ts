// Who may administer: the two kinds of admin token, and the public name of each.
import { createHash } from "node:crypto";

import type { Credential } from "./credential.js";

/** issuer: creates sessions and reads. operator: everything. */
export type AdminKind = "issuer" | "operator";

export interface Admin {
  readonly kind: AdminKind;
  /** For the audit log: which of several tokens it was. */
  readonly name: string;
  /**
   * Whose Idempotency-Keys it uses. All tokens of a kind share them, so that a request which is repeated with the new
   * token of a rotation is known.
   */
  readonly keyOwner: string;
}

export interface AdminToken {
  readonly kind: AdminKind;
  readonly token: string;
}

/**
 * `operator:1f2e3d4c`: the kind, and the first 8 hex digits of the token's SHA-256. An operator who has the token can
 * make the name; who has the name has 32 bits of a hash of a random token of at least 96, and cannot make the token.
 */
export function adminName({ kind, token }: AdminToken): string {
  return `${kind}:${createHash("sha256").update(token).digest("hex").slice(0, 8)}`;
}

export const ofAdmins = (tokens: readonly AdminToken[]): Credential<Admin>[] =>
  tokens.map((one) => ({ secret: one.token, holder: { kind: one.kind, name: adminName(one), keyOwner: one.kind } }));
