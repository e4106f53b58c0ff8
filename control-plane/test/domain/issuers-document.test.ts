// The list of issuers as a document: what is accepted, and which violation each mistake is, with line and column.
import { describe, expect, it } from "vitest";

import { sha256Of } from "../../src/domain/token-hash.js";
import { readIssuers } from "../../src/domain/issuers/read-issuers.js";
import type { TakenCredentials } from "../../src/domain/issuers/read-issuers.js";

const [A, B] = [sha256Of("a-token-of-an-issuer"), sha256Of("another-token-of-one")];
const NONE: TakenCredentials = { hashes: new Map(), names: new Map() };
const FIELDS = "name, tokenSha256, scopes, orgId";
const SCOPE_FORM = "one of issue, read, revoke";
const NAME_FORM = "expected an issuer's name, 1 to 32 of a-z, 0-9 and -";
const HASH_FORM = "expected the SHA-256 of a token, 64 hex digits, and not the token itself";
const ORG_FORM = "expected an organisation's id, 1 to 128 characters, none of them a control character";
const QUOTES = ": put it in quotes, unquoted YAML takes it for another value";
const LIST_FORM = "expected a list of issuers, or [] for none";

/** One issuer, with these lines in place of its own. */
const entry = (lines: Readonly<Record<string, string>> = {}): string => {
  const fields = { name: "login", tokenSha256: A, scopes: "[issue]", ...lines };
  return `- ${Object.entries(fields)
    .flatMap(([name, value]) => (value === "-" ? [] : [`${name}: ${value}`]))
    .join("\n  ")}\n`;
};

const tokensIn = (text: string | Uint8Array, taken = NONE) => {
  const result = readIssuers(text, taken);
  return "tokens" in result ? result.tokens : result.violations;
};

/** `line:column path: message` of each. */
function violationsIn(text: string | Uint8Array, taken = NONE): string[] {
  const result = readIssuers(text, taken);
  if ("tokens" in result) return [];
  return result.violations.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
}

describe("a list of issuers that is accepted", () => {
  it("an issuer has its scopes, and its organisation where it is for one alone", () => {
    const text = `${entry({ scopes: "[issue, revoke]" })}${entry({ name: "acme", tokenSha256: B, orgId: "o-7" })}`;
    expect(tokensIn(text)).toEqual([
      { name: "login", tokenSha256: A, scopes: new Set(["issue", "revoke"]), orgId: null },
      { name: "acme", tokenSha256: B, scopes: new Set(["issue"]), orgId: "o-7" },
    ]);
  });

  it("two entries of one name are two tokens of one issuer, each with its scopes", () => {
    const text = `${entry()}${entry({ tokenSha256: B, scopes: "[read]" })}`;
    expect(tokensIn(text)).toMatchObject([
      { name: "login", scopes: new Set(["issue"]) },
      { name: "login", scopes: new Set(["read"]) },
    ]);
  });

  it("a hash in capitals, as some programs print it, is the same hash", () => {
    expect(tokensIn(entry({ tokenSha256: A.toUpperCase() }))).toMatchObject([{ tokenSha256: A }]);
    const twice = `${entry()}${entry({ tokenSha256: A.toUpperCase() })}`;
    expect(violationsIn(twice)).toHaveLength(1);
  });

  it.each(["[]", "[] # nobody\n", "---\n[]\n", "\ufeff[]"])("the list %j names no issuer", (text) => {
    expect(tokensIn(text)).toEqual([]);
  });

  it("JSON is a list too", () => {
    const json = JSON.stringify([{ name: "login", tokenSha256: A, scopes: ["read"] }]);
    expect(tokensIn(json)).toMatchObject([{ name: "login", tokenSha256: A }]);
  });
});

describe("a mistake in the list of issuers", () => {
  it.each<[string, string, string]>([
    ["no text at all", "", `1:1 : ${LIST_FORM}`],
    ["a comment alone", "# nobody\n", `1:1 : ${LIST_FORM}`],
    ["an object in place of the list", `issuers:\n${entry()}`, `1:1 : ${LIST_FORM}`],
    ["a word in place of an issuer", "- login\n", `1:3 [0]: expected an object with the fields ${FIELDS}`],
    ["an entry that is empty", "-\n", `1:2 [0]: expected an object with the fields ${FIELDS}`],
    ["an unknown field", entry({ scope: "issue" }), `4:3 [0]: expected no field but ${FIELDS}`],
    ["a merge key", entry({ "<<": "{}" }), `4:3 [0]: expected no field but ${FIELDS}`],
    ["a field given twice", `${entry()}  name: app\n`, "4:3 [0].name: the field is there again"],
    ["no name", entry({ name: "-" }), "1:3 [0]: expected the field name"],
    ["no hash", entry({ tokenSha256: "-" }), "1:3 [0]: expected the field tokenSha256"],
    ["no scopes", entry({ scopes: "-" }), "1:3 [0]: expected the field scopes"],
    ["an empty name", entry({ name: "" }), `1:3 [0].name: ${NAME_FORM}`],
    ["a name with a capital", entry({ name: "Login" }), `1:9 [0].name: ${NAME_FORM}`],
    ["a name with a colon", entry({ name: '"operator:1"' }), `1:9 [0].name: ${NAME_FORM}`],
    ["a name that is too long", entry({ name: "x".repeat(33) }), `1:9 [0].name: ${NAME_FORM}`],
    ["a name that is a number", entry({ name: "7" }), `1:9 [0].name: ${NAME_FORM}${QUOTES}`],
    [
      "the operators' name",
      entry({ name: "operator" }),
      "1:9 [0].name: expected another name: this one is the operators'",
    ],
    ["a hash cut short", entry({ tokenSha256: A.slice(1) }), `2:16 [0].tokenSha256: ${HASH_FORM}`],
    ["a hash too long", entry({ tokenSha256: `${A}0` }), `2:16 [0].tokenSha256: ${HASH_FORM}`],
    ["a hash that is no hex", entry({ tokenSha256: `g${A.slice(1)}` }), `2:16 [0].tokenSha256: ${HASH_FORM}`],
    ["a hash of digits alone", entry({ tokenSha256: "1".repeat(64) }), `2:16 [0].tokenSha256: ${HASH_FORM}${QUOTES}`],
    ["a list in place of a hash", entry({ tokenSha256: `[${A}]` }), `2:16 [0].tokenSha256: ${HASH_FORM}`],
    ["a hash that is empty", entry({ tokenSha256: "" }), `2:3 [0].tokenSha256: ${HASH_FORM}`],
    ["scopes as one word", entry({ scopes: "issue" }), `3:11 [0].scopes: expected a list of at least ${SCOPE_FORM}`],
    ["no scope in the list", entry({ scopes: "[]" }), `3:11 [0].scopes: expected a list of at least ${SCOPE_FORM}`],
    ["an unknown scope", entry({ scopes: "[issue, admin]" }), `3:19 [0].scopes[1]: expected ${SCOPE_FORM}`],
    ["a scope in capitals", entry({ scopes: "[Issue]" }), `3:12 [0].scopes[0]: expected ${SCOPE_FORM}`],
    ["a scope given twice", entry({ scopes: "[read, read]" }), "3:18 [0].scopes[1]: the scope is there again"],
    ["an empty orgId", entry({ orgId: "" }), `4:3 [0].orgId: ${ORG_FORM}`],
    ["an orgId of null", entry({ orgId: "null" }), `4:10 [0].orgId: ${ORG_FORM}`],
    ["an orgId that is a number", entry({ orgId: "17" }), `4:10 [0].orgId: ${ORG_FORM}${QUOTES}`],
    ["an orgId too long", entry({ orgId: "x".repeat(129) }), `4:10 [0].orgId: ${ORG_FORM}`],
    ["an orgId with a line end", entry({ orgId: '"a\\nb"' }), `4:10 [0].orgId: ${ORG_FORM}`],
    [
      "one hash twice",
      `${entry()}${entry({ name: "app" })}`,
      "5:16 [1].tokenSha256: expected another token: this one is that of [0].tokenSha256 already",
    ],
    [
      "two organisations of one name",
      `${entry({ orgId: "a" })}${entry({ tokenSha256: B, orgId: "b" })}`,
      "8:10 [1].orgId: expected the same orgId as in the entry of this name before",
    ],
    [
      "an organisation in one of two entries",
      `${entry({ orgId: "a" })}${entry({ tokenSha256: B })}`,
      "5:3 [1]: expected the same orgId as in the entry of this name before",
    ],
    ["a tab", "-\tname: login\n", "1:2 : not accepted as YAML: Tabs are not allowed as indentation"],
    ["an anchor", entry({ name: "&x login" }), "1:12 : not accepted as YAML: expected no anchor"],
    ["an alias", entry({ name: "*x" }), "1:9 : not accepted as YAML: expected the value itself"],
    ["a tag", entry({ name: "!!str login" }), "1:9 : not accepted as YAML: expected no tag"],
    [
      "a block with more behind its sign",
      entry({ name: "|hunter2" }),
      "1:10 : not accepted as YAML: Block scalar header includes extra characters",
    ],
    [
      "a folded block with more",
      entry({ name: ">hunter2" }),
      "1:10 : not accepted as YAML: Block scalar header includes extra characters",
    ],
    ["a second document", `${entry()}---\n[]\n`, "4:1 : not accepted as YAML: expected one document"],
    ["a directive", "%YAML 1.2\n---\n[]\n", "1:1 : not accepted as YAML: expected no directive"],
    ["a list that never ends", "[", "1:2 : not accepted as YAML: Flow sequence must end with a ]"],
  ])("%s is one violation, with its position", (_what, text, violation) => {
    expect(violationsIn(text)).toEqual([violation]);
  });

  it("bytes that are no UTF-8 are a violation where they stand", () => {
    const bytes = Buffer.concat([Buffer.from("- name: "), Buffer.from([0xff]), Buffer.from("\n")]);
    expect(violationsIn(bytes)).toEqual(["1:9 : the encoding is not UTF-8 (byte 0xff): save it as UTF-8"]);
  });

  it("every mistake is named at once, in the order of the text", () => {
    const text = `${entry({ name: "A", scopes: "[all]" })}${entry({ tokenSha256: "x" })}`;
    expect(violationsIn(text).map((one) => one.split(" ")[0])).toEqual(["1:9", "3:12", "5:16"]);
  });

  it("a list that is too long is a violation, in bytes and in entries", () => {
    expect(violationsIn(`[]${" ".repeat(524_288)}`)).toEqual(["1:1 : expected at most 524288 bytes"]);
    const many = Array.from({ length: 1001 }, (_, i) =>
      entry({ name: `n-${i}`, tokenSha256: `"${sha256Of(`${i}`)}"` }),
    );
    expect(violationsIn(many.join(""))).toEqual(["1:1 : expected at most 1000 entries"]);
    expect(tokensIn(many.slice(1).join(""))).toHaveLength(1000);
  });

  it("what is a credential or a name already is none of an issuer", () => {
    const taken = { hashes: new Map([[A, "in SLUICE_ADMIN_TOKEN already"]]), names: new Map([["login", "that of X"]]) };
    expect(violationsIn(entry({ tokenSha256: A.toUpperCase() }), taken)).toEqual([
      "1:9 [0].name: expected another name: this one is that of X",
      "2:16 [0].tokenSha256: expected another token: this one is in SLUICE_ADMIN_TOKEN already",
    ]);
  });

  const PASTED = "s3cret-that-was-pasted";
  it.each([
    entry({ tokenSha256: PASTED }),
    entry({ tokenSha256: `*${PASTED}` }),
    entry({ tokenSha256: `&${PASTED}` }),
    entry({ tokenSha256: `!${PASTED}` }),
    entry({ tokenSha256: `"a" ${PASTED}` }),
    entry({ tokenSha256: `@${PASTED}` }),
    entry({ tokenSha256: `"\\q${PASTED}"` }),
    entry({ name: PASTED.toUpperCase() }),
    entry({ scopes: `[${PASTED}]` }),
    entry({ [PASTED]: "1" }),
    entry({ orgId: `"${PASTED}\\n"` }),
    `%${PASTED}\n---\n[]`,
    `] ${PASTED}`,
  ])("a token pasted where it does not belong is in no violation: %j", (text) => {
    const said = violationsIn(text).join();
    expect(said).not.toBe("");
    expect(said.toLowerCase()).not.toContain(PASTED);
  });
});
