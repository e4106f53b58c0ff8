// No credential may be that of another kind too: who is given one would have what the other may do.
import { ISSUER_OF_ENVIRONMENT } from "../app/access/admin.js";
import { sha256Of } from "../domain/token-hash.js";
import type { AdminKind, AdminToken } from "../app/access/admin.js";
import type { TakenCredentials } from "../domain/issuers/read-issuers.js";
import { readSecret } from "../domain/keys.js";
import type { Keys } from "../domain/keys.js";
import { given } from "./environment.js";
import type { Environment } from "./environment.js";
import type { SecretVariable } from "./variables.js";

/** The setting of each kind of admin token. */
export const ENV_OF_KIND: Readonly<Record<AdminKind, SecretVariable>> = {
  operator: "SLUICE_ADMIN_TOKEN",
  issuer: "SLUICE_ISSUER_TOKEN",
};

export interface CredentialsGiven {
  readonly keys: Keys | undefined;
  readonly keysAlso: Keys | undefined;
  readonly adminTokens: readonly AdminToken[];
}

/**
 * A sentence for each two that are the same. It names both settings, and never what they hold.
 *
 * @param sourceOf where the operator has put it: the variable, or the one that names its file
 */
export function sharedCredentials(
  env: Environment,
  { keys, keysAlso, adminTokens }: CredentialsGiven,
  sourceOf: (name: SecretVariable) => string,
): string[] {
  const said = new Set<string>();
  if (new Set(adminTokens.map(({ token }) => token)).size < adminTokens.length) {
    const [operator, issuer] = [sourceOf(ENV_OF_KIND.operator), sourceOf(ENV_OF_KIND.issuer)];
    said.add(`${operator} and ${issuer} hold the same token twice: each must stand once`);
  }
  const secrets = [
    { setting: "SLUICE_SECRET", keys },
    { setting: "SLUICE_SECRET_ALSO", keys: keysAlso },
  ] as const;
  for (const { setting, keys: derived } of secrets) {
    const secret = given(env, setting)?.trim();
    for (const { kind, token } of adminTokens) {
      const [own, other] = [sourceOf(ENV_OF_KIND[kind]), sourceOf(setting)];
      if (secret !== undefined && isSameSecret(token, secret)) {
        said.add(`${own} holds the secret of ${other}: use another token`);
      }
      if (token === derived?.edgeCredential) {
        said.add(`${own} holds the edges' credential, which follows from ${other}: use another token`);
      }
    }
  }
  return [...said];
}

/** What no token of an issuer in the file may be, nor its name. */
export function takenCredentials(
  env: Environment,
  { keys, keysAlso, adminTokens }: CredentialsGiven,
  sourceOf: (name: SecretVariable) => string,
): TakenCredentials {
  const hashes = new Map<string, string>();
  for (const { kind, token } of adminTokens) hashes.set(sha256Of(token), `in ${sourceOf(ENV_OF_KIND[kind])} already`);
  const secrets = [
    { setting: "SLUICE_SECRET", keys },
    { setting: "SLUICE_SECRET_ALSO", keys: keysAlso },
  ] as const;
  for (const { setting, keys: derived } of secrets) {
    const source = sourceOf(setting);
    for (const spelling of spellingsOf(given(env, setting) ?? "")) {
      hashes.set(sha256Of(spelling), `the secret of ${source}`);
    }
    const follows = `the edges' credential, which follows from ${source}`;
    if (derived !== undefined) hashes.set(sha256Of(derived.edgeCredential), follows);
  }
  const ofEnvironment = adminTokens.some(({ kind }) => kind === "issuer");
  const names = ofEnvironment ? [[ISSUER_OF_ENVIRONMENT, `that of ${sourceOf(ENV_OF_KIND.issuer)}`] as const] : [];
  return { hashes, names: new Map(names) };
}

/** As given, and as programs write the same bytes. */
function spellingsOf(secret: string): string[] {
  const reading = readSecret(secret);
  if (!reading.ok) return [];
  const bytes = Buffer.from(reading.secret);
  const [hex, base64] = [bytes.toString("hex"), bytes.toString("base64")];
  return [secret.trim(), hex, hex.toUpperCase(), base64, base64.replace(/=+$/, ""), bytes.toString("base64url")];
}

/** Also in another spelling, such as hex and base64. */
function isSameSecret(token: string, secret: string): boolean {
  if (token === secret) return true;
  const [one, other] = [readSecret(token), readSecret(secret)];
  return one.ok && other.ok && Buffer.from(one.secret).equals(other.secret);
}
