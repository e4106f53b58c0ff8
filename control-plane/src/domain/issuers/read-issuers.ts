// A list of issuers, YAML or JSON, to the tokens that it names, or to violations with their line and column.
import { MAX_NAME_CHARS, MAX_VIOLATIONS } from "../../../../assembly/contract.js";
import { OPERATORS } from "../idempotency-key.js";
import { inOrder, readYamlSource } from "../yaml/yaml-source.js";
import type { DocumentSource, Rejected } from "../yaml/yaml-source.js";
import { MAX_ID_CHARS } from "../session.js";
import { FieldReader } from "../yaml/field-reader.js";
import type { Place } from "../yaml/field-reader.js";
import { SCOPES } from "./issuer.js";
import type { IssuerToken, Scope } from "./issuer.js";

export type IssuersResult = { readonly tokens: readonly IssuerToken[] } | Rejected;

/** What no entry may be: each with what it is already. */
export interface TakenCredentials {
  /** SHA-256 in lower-case hex. */
  readonly hashes: ReadonlyMap<string, string>;
  readonly names: ReadonlyMap<string, string>;
}

/** Some 200 bytes a token: twice what as many as may be take. */
export const MAX_ISSUERS_BYTES = 524_288;
/** Each has a rate of its own, which has to be remembered beside those of addresses. */
const MAX_TOKENS = 1000;

const FIELDS = ["name", "tokenSha256", "scopes", "orgId"] as const;
const NAME = new RegExp(`^[a-z0-9-]{1,${MAX_NAME_CHARS}}$`);
const NAME_FORM = `1 to ${MAX_NAME_CHARS} of a-z, 0-9 and -`;
const SHA256 = /^[0-9a-f]{64}$/i;
const SHA256_FORM = "the SHA-256 of a token, 64 hex digits, and not the token itself";
/** As the API takes one. */
const ORG_ID = new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${MAX_ID_CHARS}}$`, "u");
const ORG_ID_FORM = `an organisation's id, 1 to ${MAX_ID_CHARS} characters, none of them a control character`;
const SCOPE = new RegExp(`^(?:${SCOPES.join("|")})$`);
const LIST_FORM = "expected a list of issuers, or [] for none";

/** Whole or not at all. An empty list names no token; an empty document is no list. */
export function readIssuers(source: DocumentSource, taken: TakenCredentials): IssuersResult {
  const read = readYamlSource(source, MAX_ISSUERS_BYTES);
  if ("violations" in read) return { violations: read.violations.map(withoutValue) };
  const reader = new FieldReader(read.positionOf);
  const tokens = new ListReader(reader, taken).read(read.contents);
  const { violations } = reader;
  return violations.length === 0 ? { tokens } : { violations: inOrder(violations).slice(0, MAX_VIOLATIONS) };
}

/** What the YAML reader says may end with what stands there. */
const withoutValue = <One extends { readonly message: string }>(violation: One): One => ({
  ...violation,
  message: violation.message.replace(/(?:, got |: [^A-Za-z0-9]).*$/su, ""),
});

class ListReader {
  /** Where each hash stands first. */
  private readonly hashes = new Map<string, string>();
  private readonly orgIds = new Map<string, string | null>();

  constructor(
    private readonly reader: FieldReader,
    private readonly taken: TakenCredentials,
  ) {}

  read(contents: Place["node"]): IssuerToken[] {
    const root = { node: contents, path: "", offset: contents?.range[0] ?? 0 };
    const entries = this.reader.list(root, LIST_FORM) ?? [];
    if (entries.length > MAX_TOKENS) this.reader.violated(root, `expected at most ${MAX_TOKENS} entries`);
    return entries.slice(0, MAX_TOKENS).flatMap((entry) => this.entry(entry) ?? []);
  }

  private entry(entry: Place): IssuerToken | null {
    const fields = this.reader.fields(entry, FIELDS);
    if (fields === null) return null;
    const required = <Value>(field: (typeof FIELDS)[number], read: (place: Place) => Value | null): Value | null => {
      const place = fields.get(field);
      return place === undefined ? this.reader.violated(entry, `expected the field ${field}`) : read(place);
    };
    const name = required("name", (place) => this.name(place));
    const tokenSha256 = required("tokenSha256", (place) => this.hash(place));
    const scopes = required("scopes", (place) => this.scopes(place));
    const orgPlace = fields.get("orgId");
    const orgId = orgPlace && this.reader.text(orgPlace, ORG_ID_FORM, ORG_ID);
    if (name === null || orgId === null) return null;
    this.requireOneOrg(orgPlace ?? entry, name, orgId ?? null);
    return tokenSha256 === null || scopes === null ? null : { name, tokenSha256, scopes, orgId: orgId ?? null };
  }

  private name(place: Place): string | null {
    const name = this.reader.text(place, `an issuer's name, ${NAME_FORM}`, NAME);
    const whose = name === OPERATORS ? "the operators'" : this.taken.names.get(name ?? "");
    return whose === undefined ? name : this.reader.violated(place, `expected another name: this one is ${whose}`);
  }

  private hash(place: Place): string | null {
    const hash = this.reader.text(place, SHA256_FORM, SHA256)?.toLowerCase();
    if (hash === undefined) return null;
    const whose = this.taken.hashes.get(hash) ?? this.hashes.get(hash);
    if (whose !== undefined) return this.reader.violated(place, `expected another token: this one is ${whose}`);
    this.hashes.set(hash, `that of ${place.path} already`);
    return hash;
  }

  private scopes(place: Place): ReadonlySet<Scope> | null {
    const expected = `expected a list of at least one of ${SCOPES.join(", ")}`;
    const items = this.reader.list(place, expected);
    if (items === null) return null;
    if (items.length === 0) return this.reader.violated(place, expected);
    const scopes = new Set<Scope>();
    for (const item of items) {
      const text = this.reader.text(item, `one of ${SCOPES.join(", ")}`, SCOPE);
      const scope = SCOPES.find((one) => one === text);
      if (scope === undefined) continue;
      if (scopes.has(scope)) this.reader.violated(item, "the scope is there again");
      scopes.add(scope);
    }
    return scopes;
  }

  /** Two tokens of a name are of one issuer, which must not meet the keys of another organisation. */
  private requireOneOrg(place: Place, name: string, orgId: string | null): void {
    const before = this.orgIds.get(name);
    if (before === undefined) this.orgIds.set(name, orgId);
    else if (before !== orgId)
      this.reader.violated(place, "expected the same orgId as in the entry of this name before");
  }
}
