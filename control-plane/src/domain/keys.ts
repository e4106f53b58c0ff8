// What is derived from the installation's secret, so that no secret itself travels.
import { createHmac } from "node:crypto";
import {
  LABEL_EDGE_CREDENTIAL,
  LABEL_KEY_ID,
  LABEL_SET_HASH,
  LABEL_TOKEN_KEY,
  MAX_SECRET_BYTES,
  MIN_SECRET_BYTES,
} from "../../../assembly/contract.js";

export interface Keys {
  /** 0..255; tokens name the key they were made with. */
  readonly keyId: number;
  /** 32 bytes. */
  readonly tokenKey: Uint8Array;
  /** The bearer token of the edge protocol: 43 base64url characters. */
  readonly edgeCredential: string;
  /** First 8 bytes of its derivation, little endian. Only edges use it. */
  readonly setHashSeed: bigint;
}

/** The secret's bytes, or what is wrong with it, to be said after the name of its variable. */
export type SecretReading =
  { readonly ok: true; readonly secret: Uint8Array } | { readonly ok: false; readonly violation: string };

const HEX = /^[0-9a-f]*$/i;
const WHITESPACE_AROUND = /^[ \t-\r]+|[ \t-\r]+$/g;
const BASE64_DIGITS = /^[A-Za-z0-9+/_-]*$/;

/**
 * Reads a secret as an operator writes it: a text of hex digits only is hex, so that one cut short is not taken for a
 * longer base64; else base64 of either alphabet, padded or not. ASCII whitespace around it does not count.
 */
export function readSecret(text: string): SecretReading {
  const secret = decodeSecret(text.replace(WHITESPACE_AROUND, ""));
  if (secret === undefined) return { ok: false, violation: "is neither hex nor base64" };
  if (secret.length < MIN_SECRET_BYTES) {
    return { ok: false, violation: `holds ${secret.length} bytes, at least ${MIN_SECRET_BYTES} are needed` };
  }
  if (secret.length > MAX_SECRET_BYTES) {
    return { ok: false, violation: `holds ${secret.length} bytes, more than the ${MAX_SECRET_BYTES} allowed` };
  }
  return { ok: true, secret };
}

function decodeSecret(text: string): Uint8Array | undefined {
  if (HEX.test(text)) return text.length % 2 === 1 ? undefined : Buffer.from(text, "hex");
  // Padding counts only where it completes a group of four.
  const digits = text.length % 4 === 0 ? text.replace(/={1,2}$/, "") : text;
  if (digits.length % 4 === 1 || !BASE64_DIGITS.test(digits)) return undefined;
  return Buffer.from(digits, "base64");
}

/** Derives the whole set from a secret's bytes (docs/session-token.md, "Keys"). */
export function deriveKeys(secret: Uint8Array): Keys {
  const derive = (label: string): Buffer => createHmac("sha256", secret).update(label).digest();
  return {
    keyId: derive(LABEL_KEY_ID).readUInt8(0),
    tokenKey: derive(LABEL_TOKEN_KEY),
    edgeCredential: derive(LABEL_EDGE_CREDENTIAL).toString("base64url"),
    setHashSeed: derive(LABEL_SET_HASH).readBigUInt64LE(0),
  };
}
