// No credential may be that of another kind too: who is given one would have what the other may do.
import { ENV_SECRET, ENV_SECRET_ALSO } from "../../../assembly/contract.js";
import type { AdminKind, AdminToken } from "../app/access/admin.js";
import { readSecret } from "../domain/keys.js";
import type { Keys } from "../domain/keys.js";
import { given } from "./environment.js";
import type { Environment } from "./environment.js";

/** The setting of each kind of admin token. */
export const ENV_OF_KIND: Readonly<Record<AdminKind, string>> = {
  operator: "SLUICE_ADMIN_TOKEN",
  issuer: "SLUICE_ISSUER_TOKEN",
};

export interface CredentialsGiven {
  readonly keys: Keys | undefined;
  readonly keysAlso: Keys | undefined;
  readonly adminTokens: readonly AdminToken[];
}

/** A sentence for each two that are the same. It names both settings, and never what they hold. */
export function sharedCredentials(env: Environment, { keys, keysAlso, adminTokens }: CredentialsGiven): string[] {
  const said = new Set<string>();
  if (new Set(adminTokens.map(({ token }) => token)).size < adminTokens.length) {
    said.add("SLUICE_ADMIN_TOKEN and SLUICE_ISSUER_TOKEN hold the same token twice: each must stand once");
  }
  const secrets = [
    { setting: ENV_SECRET, keys },
    { setting: ENV_SECRET_ALSO, keys: keysAlso },
  ];
  for (const { setting, keys: derived } of secrets) {
    const secret = given(env, setting)?.trim();
    for (const { kind, token } of adminTokens) {
      const own = ENV_OF_KIND[kind];
      if (secret !== undefined && isSameSecret(token, secret)) {
        said.add(`${own} holds the secret of ${setting}: use another token`);
      }
      if (token === derived?.edgeCredential) {
        said.add(`${own} holds the edges' credential, which follows from ${setting}: use another token`);
      }
    }
  }
  return [...said];
}

/** Also in another spelling, such as hex and base64. */
function isSameSecret(token: string, secret: string): boolean {
  if (token === secret) return true;
  const [one, other] = [readSecret(token), readSecret(secret)];
  return one.ok && other.ok && Buffer.from(one.secret).equals(other.secret);
}
