// A policy that is not in UTF-8 is rejected with words that say that the encoding is what is wrong, and where.
import { expect, it } from "vitest";
import { readDocument, readPolicyDocument, readSettingsDocument } from "../../src/domain/policy/read-policy.js";

const POLICY = "version: 1\nplans:\n  - { id: 0, name: default, maxTokens: 100, tokenRefillRate: 10 }\n";
const MARK = "\ufeff";
const utf16 = (text: string): Buffer => Buffer.from(text, "utf16le");
const bigEndian = (text: string): Buffer => utf16(text).swap16();
const utf32 = (text: string): Buffer => Buffer.from(Uint32Array.from(text, (one) => one.codePointAt(0) ?? 0).buffer);
/** The first comment has a letter that Latin-1 has in one byte. */
const latin1 = Buffer.from(`${POLICY}# caf\u00e9\n`, "latin1");

it.each<[string, Uint8Array | string, number, number, RegExp]>([
  ["UTF-16 with its mark", utf16(MARK + POLICY), 1, 1, /^the encoding is UTF-16, expected UTF-8: save it as UTF-8$/],
  ["UTF-16 of the other order", bigEndian(MARK + POLICY), 1, 1, /^the encoding is UTF-16, expected UTF-8/],
  ["UTF-32 with its mark", utf32(MARK + POLICY), 1, 1, /^the encoding is UTF-32, expected UTF-8/],
  ["UTF-16 without a mark", utf16(POLICY), 1, 2, /^the encoding is UTF-16 or UTF-32 \(a NUL character\)/],
  ["UTF-16 of the other order without a mark", bigEndian(POLICY), 1, 1, /^the encoding is UTF-16 or UTF-32/],
  ["Latin-1", latin1, 4, 6, /^the encoding is not UTF-8 \(byte 0xe9\): save it as UTF-8$/],
  ["UTF-8 that is cut off", Buffer.from(`${POLICY}# é`).subarray(0, -1), 4, 3, /^the encoding is not UTF-8/],
  ["a mark inside, as of joined files", `# a\n${MARK}${POLICY}`, 2, 1, /^the encoding is mixed up \(a byte order mark/],
  ["two marks", Buffer.from(MARK + MARK + POLICY), 1, 2, /^the encoding is mixed up \(a byte order mark/],
  ["a mark within a word", Buffer.from(POLICY.replace("plans", `pl${MARK}ans`)), 2, 3, /^the encoding is mixed up/],
])("a document in %s is rejected for its encoding", (_, source, line, column, message) => {
  const violations = [{ path: "", line, column, message: expect.stringMatching(message) as unknown }];
  for (const read of [readPolicyDocument, readSettingsDocument, readDocument])
    expect(read(source)).toEqual({ violations });
});

it("a policy in UTF-8 is accepted as bytes, with a byte order mark at its start too", () => {
  for (const text of [POLICY, MARK + POLICY, `${POLICY}# é 😀 \ufffd\n`]) {
    expect(readPolicyDocument(Buffer.from(text))).toEqual(readPolicyDocument(POLICY));
  }
});
