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

/** Where the operator has put it: the variable, or the one that names its file. */
type SourceOf = (name: SecretVariable) => string;

/** A sentence for each two that are the same, without what they hold; and what no issuer in the file may be. */
export function distinctCredentials(
  env: Environment,
  credentials: CredentialsGiven,
  sourceOf: SourceOf,
): { readonly violations: string[]; readonly taken: TakenCredentials } {
  const secrets = secretsByHash(env, credentials, sourceOf);
  const { adminTokens } = credentials;
  const tokens = adminTokens.map(
    ({ kind, token }) => [sha256Of(token), `in ${sourceOf(ENV_OF_KIND[kind])} already`] as const,
  );
  const ofEnvironment = adminTokens.some(({ kind }) => kind === "issuer");
  const names = ofEnvironment ? [[ISSUER_OF_ENVIRONMENT, `that of ${sourceOf(ENV_OF_KIND.issuer)}`] as const] : [];
  return {
    violations: sharedTokens(adminTokens, secrets, sourceOf),
    taken: { hashes: new Map([...tokens, ...secrets]), names: new Map(names) },
  };
}

function sharedTokens(
  adminTokens: readonly AdminToken[],
  secrets: ReadonlyMap<string, string>,
  sourceOf: SourceOf,
): string[] {
  const said = new Set<string>();
  if (new Set(adminTokens.map(({ token }) => token)).size < adminTokens.length) {
    const [operator, issuer] = [sourceOf(ENV_OF_KIND.operator), sourceOf(ENV_OF_KIND.issuer)];
    said.add(`${operator} and ${issuer} hold the same token twice: each must stand once`);
  }
  for (const { kind, token } of adminTokens) {
    const whose = spellingsOf(token).flatMap((spelling) => secrets.get(sha256Of(spelling)) ?? []);
    for (const one of whose) said.add(`${sourceOf(ENV_OF_KIND[kind])} holds ${one}: use another token`);
  }
  return [...said];
}

/** What each is, by its SHA-256. */
function secretsByHash(
  env: Environment,
  { keys, keysAlso }: CredentialsGiven,
  sourceOf: SourceOf,
): ReadonlyMap<string, string> {
  const hashes = new Map<string, string>();
  const settings = [
    ["SLUICE_SECRET", keys],
    ["SLUICE_SECRET_ALSO", keysAlso],
  ] as const;
  for (const [setting, derived] of settings) {
    const source = sourceOf(setting);
    for (const spelling of spellingsOf(given(env, setting) ?? "")) {
      hashes.set(sha256Of(spelling), `the secret of ${source}`);
    }
    const follows = `the edges' credential, which follows from ${source}`;
    if (derived !== undefined) hashes.set(sha256Of(derived.edgeCredential), follows);
  }
  return hashes;
}

/** As given, and as programs write the same bytes. */
function spellingsOf(secret: string): string[] {
  const text = secret.trim();
  const reading = readSecret(text);
  if (!reading.ok) return text === "" ? [] : [text];
  const bytes = Buffer.from(reading.secret);
  const [hex, base64] = [bytes.toString("hex"), bytes.toString("base64")];
  return [text, hex, hex.toUpperCase(), base64, base64.replace(/=+$/, ""), bytes.toString("base64url")];
}
