// SHA-256 and HMAC-SHA-256 against published values and another implementation.
import { HMAC_STATE_BYTES, hmacPrepare, hmacSign } from "../domain/token/hmac";
import { SHA256_BYTES, sha256 } from "../domain/token/sha256";
import { addressOf, hexAt, unhex, vectorRows } from "./vectors";

const digest = memory.data(32);
const state = memory.data(64);

function repeated(bytes: Uint8Array, times: i32): Uint8Array {
  const all = new Uint8Array(bytes.length * times);
  for (let i = 0; i < times; i++) all.set(bytes, i * bytes.length);
  return all;
}

function hmacHex(key: Uint8Array, message: Uint8Array): string {
  hmacPrepare(addressOf(key), key.length, state);
  hmacSign(state, addressOf(message), message.length, digest);
  return hexAt(digest, SHA256_BYTES);
}

describe("SHA-256", () => {
  test("SHA-256 gives the published hashes of FIPS 180-4", () => {
    const rows = vectorRows("hashes.json", "sha256", "name,messageHex,repeat,sha256Hex");
    for (let i = 0; i < rows.length; i++) {
      const message = repeated(unhex(rows[i][1]), I32.parseInt(rows[i][2]));
      sha256(addressOf(message), message.length, digest);
      expect(hexAt(digest, SHA256_BYTES)).toBe(rows[i][3], rows[i][0]);
    }
  });

  test("SHA-256 agrees with another implementation at every edge of a block", () => {
    const rows = vectorRows("session-token.json", "hashes", "messageHex,sha256Hex");
    for (let i = 0; i < rows.length; i++) {
      const message = unhex(rows[i][0]);
      sha256(addressOf(message), message.length, digest);
      expect(hexAt(digest, SHA256_BYTES)).toBe(rows[i][1], message.length.toString() + " bytes");
    }
  });

  test("SHA-256 may write over its own input", () => {
    const message = unhex("616263" + "00".repeat(29));
    sha256(addressOf(message), 3, addressOf(message));
    expect(hexAt(addressOf(message), 4)).toBe("ba7816bf");
  });
});

describe("HMAC-SHA-256", () => {
  test("HMAC-SHA-256 gives the published codes of RFC 4231", () => {
    const rows = vectorRows("hashes.json", "hmac", "name,keyHex,messageHex,hmacHex");
    for (let i = 0; i < rows.length; i++) {
      // One case is published truncated.
      const expected = rows[i][3];
      const actual = hmacHex(unhex(rows[i][1]), unhex(rows[i][2]));
      expect(actual.substring(0, expected.length)).toBe(expected, rows[i][0]);
    }
  });

  test("HMAC-SHA-256 agrees with another implementation at every edge of a block", () => {
    const rows = vectorRows("session-token.json", "hashes", "keyHex,messageHex,hmacHex");
    for (let i = 0; i < rows.length; i++) {
      expect(hmacHex(unhex(rows[i][0]), unhex(rows[i][1]))).toBe(rows[i][2], "row " + i.toString());
    }
  });

  test("one prepared HMAC key signs any number of messages", () => {
    const key = unhex("0b".repeat(20));
    const message = unhex("4869205468657265");
    hmacPrepare(addressOf(key), key.length, state);
    const prepared = hexAt(state, HMAC_STATE_BYTES);
    for (let i = 0; i < 3; i++) {
      hmacSign(state, addressOf(message), message.length, digest);
      expect(hexAt(digest, 4)).toBe("b0344c61");
      expect(hexAt(state, HMAC_STATE_BYTES)).toBe(prepared);
    }
  });
});
