// HMAC-SHA-256 (RFC 2104) with the key's two blocks hashed once and kept.
import { SHA256_BLOCK_BYTES, SHA256_BYTES, sha256, sha256Block, sha256Finish, sha256Start } from "./sha256";

// A prepared key, HMAC_STATE_BYTES long:
//
//   0                          32
//   | hash state after ipad    | hash state after opad    |

export const HMAC_STATE_BYTES: u32 = 64;
const OUTER_AT: u32 = 32;
const IPAD: u64 = 0x3636363636363636;
const OPAD: u64 = 0x5c5c5c5c5c5c5c5c;

const KEY_BLOCK = memory.data(64);
const PADDED_KEY = memory.data(64);
const WORKING_STATE = memory.data(32);
const INNER_HASH = memory.data(32);

/** Hashes the key's inner and outer block into `state` (HMAC_STATE_BYTES). */
export function hmacPrepare(key: usize, keyLength: u32, state: usize): void {
  memory.fill(KEY_BLOCK, 0, SHA256_BLOCK_BYTES);
  if (keyLength > SHA256_BLOCK_BYTES) {
    sha256(key, keyLength, KEY_BLOCK);
  } else {
    memory.copy(KEY_BLOCK, key, keyLength);
  }
  hashPaddedKey(IPAD, state);
  hashPaddedKey(OPAD, state + OUTER_AT);
}

function hashPaddedKey(pad: u64, state: usize): void {
  for (let at: usize = 0; at < SHA256_BLOCK_BYTES; at += 8) {
    store<u64>(PADDED_KEY + at, load<u64>(KEY_BLOCK + at) ^ pad);
  }
  sha256Start(state);
  sha256Block(state, PADDED_KEY);
}

/** Writes the 32 bytes of HMAC(key, source) to `target`; `state` stays as it was. */
export function hmacSign(state: usize, source: usize, length: u32, target: usize): void {
  memory.copy(WORKING_STATE, state, SHA256_BYTES);
  sha256Finish(WORKING_STATE, source, length, SHA256_BLOCK_BYTES, INNER_HASH);
  memory.copy(WORKING_STATE, state + OUTER_AT, SHA256_BYTES);
  sha256Finish(WORKING_STATE, INNER_HASH, SHA256_BYTES, SHA256_BLOCK_BYTES, target);
}
