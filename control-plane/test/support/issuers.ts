// Issuers for tests, as a control plane holds them and as a file lists them.
import { issuerOf } from "../../src/app/access/admin.js";
import { sha256Of } from "../../src/domain/token-hash.js";
import { bearerOf } from "../../src/app/access/credential.js";
import type { ObservedIssuers } from "../../src/app/access/issuers.js";
import { SCOPES } from "../../src/domain/issuers/issuer.js";
import type { Scope } from "../../src/domain/issuers/issuer.js";

export interface TestIssuer {
  readonly name: string;
  readonly token: string;
  readonly scopes?: readonly Scope[];
  readonly orgId?: string;
}

export function issuersOf(...all: TestIssuer[]): ObservedIssuers {
  const held = new Map(
    all.map(({ name, token, scopes = SCOPES, orgId = null }) => [
      token,
      issuerOf({ name, tokenSha256: sha256Of(token), scopes: new Set(scopes), orgId }),
    ]),
  );
  return { holderOf: (header) => held.get(bearerOf(header) ?? ""), isFileRejected: () => false };
}

/** As a file: YAML. */
export const issuersText = (...all: TestIssuer[]): string => (all.length === 0 ? "[]\n" : all.map(entryText).join(""));

function entryText({ name, token, scopes = SCOPES, orgId }: TestIssuer): string {
  const org = orgId === undefined ? "" : `  orgId: ${orgId}\n`;
  return `- name: ${name}\n  tokenSha256: "${sha256Of(token)}"\n  scopes: [${scopes.join(", ")}]\n${org}`;
}
