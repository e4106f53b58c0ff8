// Tokens, keys and secrets against the vectors that the filter's specs read too.
import { execFileSync } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { MAX_PLAN_ID, TOKEN_CHARS } from "../../../assembly/contract.js";
import { deriveKeys, readSecret } from "../../src/domain/keys.js";
import type { Keys } from "../../src/domain/keys.js";
import { newSessionId, parseSessionId, sessionIdFloor, SESSION_ID_RANDOM_BYTES } from "../../src/domain/session-id.js";
import { makeToken } from "../../src/domain/token.js";
import { verifyToken } from "../support/verify-token.js";

interface Vectors {
  secrets: {
    name: string;
    secretHex: string;
    keyId: number;
    tokenKeyHex: string;
    edgeCredential: string;
    setHashSeed: string;
  }[];
  valid: { secret: string; token: string; sessionId: string; planId: number; issuedAtMs: string }[];
  sample: { secret: string; token: string }[];
  bitFlips: { bit: number; token: string }[];
  malformed: { name: string; token: string }[];
  secretTexts: { name: string; text: string; outcome: string; secretHex: string }[];
  hashes: { messageHex: string; keyHex: string; sha256Hex: string; hmacHex: string }[];
}

interface PublishedHashes {
  sha256: { name: string; messageHex: string; repeat: number; sha256Hex: string }[];
  hmac: { name: string; keyHex: string; messageHex: string; hmacHex: string }[];
}

const folder = new URL("../../../test/vectors/", import.meta.url);
const vectorsText = readFileSync(new URL("session-token.json", folder), "utf8");
const vectors = JSON.parse(vectorsText) as Vectors;
const published = JSON.parse(readFileSync(new URL("hashes.json", folder), "utf8")) as PublishedHashes;

function keysOf(name: string): Keys {
  const row = vectors.secrets.find((secret) => secret.name === name);
  if (row === undefined) throw new Error(`no secret ${name}`);
  return deriveKeys(Buffer.from(row.secretHex, "hex"));
}

const first = keysOf("first");
const second = keysOf("second");

describe("session token", () => {
  it.each(vectors.valid)("$token is what the secret $secret makes for plan $planId", (row) => {
    const claims = { sessionId: row.sessionId, planId: row.planId };
    expect(makeToken(claims, keysOf(row.secret))).toBe(row.token);
    expect(verifyToken(row.token, [keysOf(row.secret)])).toEqual(claims);
  });

  it("a token is valid while its secret is one of two, and invalid once that is taken out", () => {
    for (const row of vectors.valid) {
      expect(verifyToken(row.token, [first, second])).toBeDefined();
      expect(verifyToken(row.token, [row.secret === "first" ? second : first])).toBeUndefined();
    }
  });

  it("a token with any one bit changed is invalid", () => {
    expect(vectors.bitFlips).toHaveLength(288);
    for (const { token } of vectors.bitFlips) expect(verifyToken(token, [first, second])).toBeUndefined();
  });

  it("a token with a wrong tag is invalid even where the key id is right", () => {
    const rightKeyWrongTag = { ...second, keyId: first.keyId };
    const row = vectors.sample[0];
    expect(row && verifyToken(row.token, [first])).toBeDefined();
    expect(row && verifyToken(row.token, [rightKeyWrongTag])).toBeUndefined();
  });

  it.each(vectors.malformed)("a malformed token is invalid: $name", ({ token }) => {
    expect(verifyToken(token, [first, second])).toBeUndefined();
  });

  it("a token is made only for a UUID and a plan id", () => {
    const sessionId = vectors.valid[0]?.sessionId ?? "";
    expect(makeToken({ sessionId, planId: MAX_PLAN_ID }, first)).toHaveLength(TOKEN_CHARS);
    for (const planId of [-1, 1.5, MAX_PLAN_ID + 1, Number.NaN]) {
      expect(() => makeToken({ sessionId, planId }, first)).toThrow(RangeError);
    }
    expect(() => makeToken({ sessionId: `${sessionId}0`, planId: 1 }, first)).toThrow(RangeError);
  });
});

describe("session id", () => {
  const random = Buffer.alloc(SESSION_ID_RANDOM_BYTES, 0xff);

  it("a session id is a UUIDv7 of the time and the random bytes it was given", () => {
    expect(newSessionId(0x018bcfe5687b, random)).toBe("018bcfe5-687b-7fff-bfff-ffffffffffff");
    expect(newSessionId(0x018bcfe5687b, new Uint8Array(SESSION_ID_RANDOM_BYTES))).toBe(
      "018bcfe5-687b-7000-8000-000000000000",
    );
    expect(() => newSessionId(0, random.subarray(1))).toThrow(RangeError);
  });

  it("session ids sort by creation: none of a ms or later lies below the ms's floor", () => {
    expect(sessionIdFloor(1_700_000_000_000) > newSessionId(1_699_999_999_999, random)).toBe(true);
    expect(sessionIdFloor(1_700_000_000_000) <= newSessionId(1_700_000_000_000, random)).toBe(true);
    expect(sessionIdFloor(-5)).toBe(sessionIdFloor(0));
  });

  it("a session id is read in either case, and in no other form", () => {
    const id = "018bcfe5-687b-7abc-8def-0123456789ab";
    expect(parseSessionId(id.toUpperCase())).toEqual(parseSessionId(id));
    for (const other of ["", id.slice(1), `${id}0`, `${id}\n`, id.replaceAll("-", ""), id.replace("b", "g")]) {
      expect(parseSessionId(other)).toBeUndefined();
    }
  });
});

describe("the installation's secret", () => {
  it.each(vectors.secretTexts)("a secret, $name, is $outcome", ({ text, outcome, secretHex }) => {
    const reading = readSecret(text);
    const violations: Record<string, RegExp> = {
      malformed: /neither hex nor base64/,
      "too short": /at least 32/,
      "too long": /more than the 256/,
    };
    if (reading.ok) {
      expect({ outcome, secretHex: Buffer.from(reading.secret).toString("hex") }).toEqual({ outcome: "ok", secretHex });
    } else {
      expect(reading.violation).toMatch(violations[outcome] ?? /never/);
    }
  });

  it.each(vectors.secrets)("the keys of the secret $name are derived as the vectors say", (row) => {
    const keys = deriveKeys(Buffer.from(row.secretHex, "hex"));
    expect(keys.keyId).toBe(row.keyId);
    expect(Buffer.from(keys.tokenKey).toString("hex")).toBe(row.tokenKeyHex);
    expect(keys.edgeCredential).toBe(row.edgeCredential);
    expect(keys.setHashSeed.toString()).toBe(row.setHashSeed);
  });
});

describe("the vectors", () => {
  it("the vectors are what their script makes", () => {
    const script = fileURLToPath(new URL("make-session-token.py", folder));
    expect(execFileSync("python3", [script], { encoding: "utf8" })).toBe(vectorsText);
  });

  it("the vectors of hashes are right by Node's own crypto too", () => {
    const messages = published.sha256.map((row) => ({ ...row, message: row.messageHex.repeat(row.repeat) }));
    for (const { message, sha256Hex } of [
      ...messages,
      ...vectors.hashes.map((h) => ({ ...h, message: h.messageHex })),
    ]) {
      expect(createHash("sha256").update(Buffer.from(message, "hex")).digest("hex")).toBe(sha256Hex);
    }
    for (const { keyHex, messageHex, hmacHex } of [...published.hmac, ...vectors.hashes]) {
      const code = createHmac("sha256", Buffer.from(keyHex, "hex"))
        .update(Buffer.from(messageHex, "hex"))
        .digest("hex");
      expect(code.slice(0, hmacHex.length)).toBe(hmacHex);
    }
  });
});
