// Session tokens, session ids and base64url: what is accepted and what is rejected.
import { SESSION_ID_BYTES, TOKEN_BYTES } from "../contract";
import { decodeBase64Url, encodeBase64Url } from "../domain/token/base64url";
import { KEYS_BYTES, deriveKeys, keyIdOf, tokenKeyStateOf } from "../domain/token/keys";
import { SESSION_ID_CHARS, formatSessionId, parseSessionId } from "../domain/token/session-id";
import { decodeToken, issuedAtMs, keyIdOfToken, planIdOf, sessionIdOf, tagMatches } from "../domain/token/token";
import { addressOf, hexAt, rowNamed, textAt, unhex, utf8, vectorRows } from "./vectors";

const FILE: string = "session-token.json";
const token = memory.data(36);
const keys = memory.data(120);
const text = memory.data(64);
const sessionId = memory.data(16);

function decode(characters: string): bool {
  const bytes = utf8(characters);
  return decodeToken(addressOf(bytes), bytes.length, token);
}

function useSecret(name: string): void {
  const secret = unhex(rowNamed(vectorRows(FILE, "secrets", "name,secretHex"), name)[1]);
  memory.fill(keys, 0, KEYS_BYTES);
  deriveKeys(addressOf(secret), secret.length, keys);
}

/** What the filter asks before it trusts a token. */
function isAccepted(characters: string): bool {
  return decode(characters) && keyIdOfToken(token) == keyIdOf(keys) && tagMatches(token, tokenKeyStateOf(keys));
}

function parse(characters: string): bool {
  const bytes = utf8(characters);
  return parseSessionId(addressOf(bytes), bytes.length, sessionId);
}

describe("session token", () => {
  test("valid tokens of every secret and plan are accepted and say whose they are", () => {
    const rows = vectorRows(FILE, "valid", "secret,token,sessionId,planId,issuedAtMs");
    for (let i = 0; i < rows.length; i++) {
      useSecret(rows[i][0]);
      expect(isAccepted(rows[i][1])).toBe(true, rows[i][1]);
      formatSessionId(sessionIdOf(token), text);
      expect(textAt(text, SESSION_ID_CHARS)).toBe(rows[i][2]);
      expect(planIdOf(token).toString()).toBe(rows[i][3]);
      expect(issuedAtMs(token).toString()).toBe(rows[i][4]);
    }
  });

  test("a token of another secret is rejected by its key id and by its tag", () => {
    const rows = vectorRows(FILE, "valid", "secret,token");
    for (let i = 0; i < rows.length; i++) {
      useSecret(rows[i][0] == "first" ? "second" : "first");
      expect(decode(rows[i][1])).toBe(true);
      expect(keyIdOfToken(token)).not.toBe(keyIdOf(keys));
      expect(tagMatches(token, tokenKeyStateOf(keys))).toBe(false, rows[i][1]);
    }
  });

  test("a token with any one bit changed is rejected", () => {
    const sample = vectorRows(FILE, "sample", "secret,token")[0];
    useSecret(sample[0]);
    expect(isAccepted(sample[1])).toBe(true);
    const rows = vectorRows(FILE, "bitFlips", "bit,token");
    expect(rows.length).toBe(288);
    for (let i = 0; i < rows.length; i++) {
      // The tag alone must reject it, also where the key id would: 8 bits are easily guessed.
      expect(decode(rows[i][1]) && tagMatches(token, tokenKeyStateOf(keys))).toBe(false, "bit " + rows[i][0]);
    }
  });

  test("a token of another length, alphabet, padding or version is rejected first", () => {
    const rows = vectorRows(FILE, "malformed", "name,token");
    for (let i = 0; i < rows.length; i++) {
      expect(decode(rows[i][1])).toBe(false, rows[i][0]);
    }
  });
});

describe("session id", () => {
  test("a session id reads back as it was written, in either case", () => {
    const rows = vectorRows(FILE, "valid", "sessionId");
    for (let i = 0; i < rows.length; i++) {
      expect(parse(rows[i][0].toUpperCase())).toBe(true);
      formatSessionId(sessionId, text);
      expect(textAt(text, SESSION_ID_CHARS)).toBe(rows[i][0]);
    }
  });

  test("a session id is 36 characters with dashes at fixed positions", () => {
    const id = "018bcfe5-687b-7abc-8def-0123456789ab";
    expect(parse(id)).toBe(true);
    expect(hexAt(sessionId, SESSION_ID_BYTES)).toBe("018bcfe5687b7abc8def0123456789ab");
    expect(parse("")).toBe(false);
    expect(parse(id.substring(1))).toBe(false);
    expect(parse(id + "0")).toBe(false);
    expect(parse("018bcfe5687b-7abc-8def-0123456789ab-")).toBe(false);
    expect(parse("018bcfe5-687b-7abc-8def_0123456789ab")).toBe(false);
    expect(parse("018bcfe5-687b-7abc-8def-0123456789ag")).toBe(false);
    expect(parse("-18bcfe5-687b-7abc-8def-0123456789ab")).toBe(false);
  });
});

describe("base64url", () => {
  test("base64url takes its 64 characters and no other byte", () => {
    const group = new Uint8Array(8);
    let taken = 0;
    for (let byte = 0; byte < 256; byte++) {
      for (let place = 0; place < 8; place++) {
        group.fill(0x41);
        group[place] = <u8>byte;
        if (decodeBase64Url(addressOf(group), 8, token)) taken++;
      }
    }
    expect(taken).toBe(64 * 8);
  });

  test("base64url gives back the text of any bytes", () => {
    const characters = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g-_-_";
    expect(decodeBase64Url(addressOf(utf8(characters)), 48, token)).toBe(true);
    expect(encodeBase64Url(token, TOKEN_BYTES, text)).toBe(48);
    expect(textAt(text, 48)).toBe(characters);
  });

  test("base64url writes no padding", () => {
    const bytes = unhex("fbffbf");
    expect(encodeBase64Url(addressOf(bytes), 0, text)).toBe(0);
    expect(textAt(text, encodeBase64Url(addressOf(bytes), 1, text))).toBe("-w");
    expect(textAt(text, encodeBase64Url(addressOf(bytes), 2, text))).toBe("-_8");
    expect(textAt(text, encodeBase64Url(addressOf(bytes), 3, text))).toBe("-_-_");
  });
});
