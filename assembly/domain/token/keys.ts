// What is derived from the installation's secret, so that no secret itself travels.
import { LABEL_EDGE_CREDENTIAL, LABEL_KEY_ID, LABEL_SET_HASH, LABEL_TOKEN_KEY } from "../../contract";
import { encodeBase64Url } from "./base64url";
import { HMAC_STATE_BYTES, hmacPrepare, hmacSign } from "./hmac";
import { SHA256_BYTES } from "./sha256";

// A key set, KEYS_BYTES long:
//
//   0                            64                 107      108       112          120
//   | prepared token key, HMAC   | edge credential  | key id | (unused) | set hash seed |

export const KEYS_BYTES: u32 = 120;
/** base64url of 32 bytes, without padding. */
export const EDGE_CREDENTIAL_CHARS: u32 = 43;
const EDGE_CREDENTIAL_AT: u32 = 64;
const KEY_ID_AT: u32 = 107;
const SET_HASH_SEED_AT: u32 = 112;

const SECRET_STATE = memory.data(64);
const LABEL = memory.data(32);
const DERIVED = memory.data(32);

/** Derives the whole set (docs/session-token.md, "Keys") from a secret of `length` bytes. */
export function deriveKeys(secret: usize, length: u32, keys: usize): void {
  hmacPrepare(secret, length, SECRET_STATE);
  derive(LABEL_TOKEN_KEY);
  hmacPrepare(DERIVED, SHA256_BYTES, keys);
  derive(LABEL_EDGE_CREDENTIAL);
  encodeBase64Url(DERIVED, SHA256_BYTES, keys + EDGE_CREDENTIAL_AT);
  derive(LABEL_KEY_ID);
  store<u8>(keys + KEY_ID_AT, load<u8>(DERIVED));
  derive(LABEL_SET_HASH);
  store<u64>(keys + SET_HASH_SEED_AT, load<u64>(DERIVED));
  memory.fill(DERIVED, 0, SHA256_BYTES);
  memory.fill(SECRET_STATE, 0, HMAC_STATE_BYTES);
}

/** DERIVED = HMAC-SHA-256(secret, label). Labels are ASCII and at most 32 characters. */
function derive(label: string): void {
  const chars: u32 = label.length;
  for (let i: u32 = 0; i < chars; i++) {
    store<u8>(LABEL + i, load<u8>(changetype<usize>(label) + ((<usize>i) << 1)));
  }
  hmacSign(SECRET_STATE, LABEL, chars, DERIVED);
}

export function keyIdOf(keys: usize): u8 {
  return load<u8>(keys + KEY_ID_AT);
}

/** The token key, prepared for hmacSign. */
export function tokenKeyStateOf(keys: usize): usize {
  return keys;
}

/** EDGE_CREDENTIAL_CHARS characters. */
export function edgeCredentialOf(keys: usize): usize {
  return keys + EDGE_CREDENTIAL_AT;
}

/** The first 8 bytes of the derivation, little endian: as linear memory reads them. */
export function setHashSeedOf(keys: usize): u64 {
  return load<u64>(keys + SET_HASH_SEED_AT);
}
