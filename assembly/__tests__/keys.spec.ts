// The installation's secret and the keys that are derived from it.
import { MAX_SECRET_BYTES, MIN_SECRET_BYTES } from "../contract";
import { hmacPrepare } from "../domain/token/hmac";
import {
  EDGE_CREDENTIAL_CHARS,
  deriveKeys,
  edgeCredentialOf,
  keyIdOf,
  setHashSeedOf,
  tokenKeyStateOf,
} from "../domain/token/keys";
import { SECRET_MALFORMED, SECRET_TOO_LONG, decodeSecret } from "../domain/token/secret";
import { addressOf, hexAt, textAt, unhex, utf8, vectorRows } from "./vectors";

const keys = memory.data(120);
const state = memory.data(64);
const secret = memory.data(256);
/** Must stay as it is: the byte behind the longest secret. */
const behind = secret + MAX_SECRET_BYTES;

function outcomeOf(length: i32): string {
  if (length == SECRET_MALFORMED) return "malformed";
  if (length == SECRET_TOO_LONG) return "too long";
  return <u32>length < MIN_SECRET_BYTES ? "too short" : "ok";
}

describe("the installation's secret", () => {
  test("a secret is read from hex and from base64 of either alphabet, and nothing else", () => {
    const rows = vectorRows("session-token.json", "secretTexts", "name,text,outcome,secretHex");
    for (let i = 0; i < rows.length; i++) {
      const text = utf8(rows[i][1]);
      const length = decodeSecret(addressOf(text), text.length, secret, MAX_SECRET_BYTES);
      expect(outcomeOf(length)).toBe(rows[i][2], rows[i][0]);
      if (length >= 0) expect(hexAt(secret, length)).toBe(rows[i][3], rows[i][0]);
    }
  });

  test("a secret is never written beyond the end of its buffer", () => {
    const text = utf8("ab".repeat(32));
    store<u8>(behind - 1, 0x77);
    expect(decodeSecret(addressOf(text), text.length, behind - 32, 31)).toBe(SECRET_TOO_LONG);
    expect(load<u8>(behind - 1)).toBe(0x77);
    expect(decodeSecret(addressOf(text), text.length, behind - 32, 32)).toBe(32);
    expect(load<u8>(behind - 1)).toBe(0xab);
  });
});

describe("derived keys", () => {
  test("derived keys are those that the control plane derives from the same secret", () => {
    const rows = vectorRows("session-token.json", "secrets", "secretHex,keyId,tokenKeyHex,edgeCredential,setHashSeed");
    for (let i = 0; i < rows.length; i++) {
      const bytes = unhex(rows[i][0]);
      deriveKeys(addressOf(bytes), bytes.length, keys);
      expect(keyIdOf(keys).toString()).toBe(rows[i][1]);
      expect(textAt(edgeCredentialOf(keys), EDGE_CREDENTIAL_CHARS)).toBe(rows[i][3]);
      expect(setHashSeedOf(keys).toString()).toBe(rows[i][4]);
      const tokenKey = unhex(rows[i][2]);
      hmacPrepare(addressOf(tokenKey), tokenKey.length, state);
      expect(hexAt(tokenKeyStateOf(keys), 64)).toBe(hexAt(state, 64));
    }
  });
});
