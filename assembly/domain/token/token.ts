// The session token: 36 bytes, laid out in contract.ts, and the tag that only a holder of the secret can make.
import {
  TOKEN_CHARS,
  TOKEN_KEY_ID_AT,
  TOKEN_PLAN_ID_AT,
  TOKEN_SESSION_ID_AT,
  TOKEN_TAG_AT,
  TOKEN_VERSION,
} from "../../contract";
import { decodeBase64Url } from "./base64url";
import { hmacSign } from "./hmac";

const EXPECTED_TAG = memory.data(32);

/**
 * Decodes the characters of a token into TOKEN_BYTES at `target`. False for another length, alphabet or version;
 * nothing else is looked at, so a true answer says nothing about the tag.
 */
export function decodeToken(text: usize, chars: u32, target: usize): bool {
  return chars == TOKEN_CHARS && decodeBase64Url(text, TOKEN_CHARS, target) && load<u8>(target) == TOKEN_VERSION;
}

/** Whether two tokens are the same in all TOKEN_BYTES. Not for tags: `tagMatches` takes the same time for all. */
// @ts-ignore: decorator
@inline
export function sameTokens(a: usize, b: usize): bool {
  let difference = (load<u64>(a) ^ load<u64>(b)) | (load<u64>(a, 8) ^ load<u64>(b, 8));
  difference |= (load<u64>(a, 16) ^ load<u64>(b, 16)) | (load<u64>(a, 24) ^ load<u64>(b, 24));
  return (difference | (load<u32>(a, 32) ^ load<u32>(b, 32))) == 0;
}

export function keyIdOfToken(token: usize): u8 {
  return load<u8>(token + TOKEN_KEY_ID_AT);
}

/** The address of its SESSION_ID_BYTES. */
export function sessionIdOf(token: usize): usize {
  return token + TOKEN_SESSION_ID_AT;
}

export function planIdOf(token: usize): u32 {
  return bswap<u16>(load<u16>(token + TOKEN_PLAN_ID_AT));
}

/** When the session was made, ms since the epoch: the first 48 bits of a UUIDv7, big endian (RFC 9562 section 5.7). */
export function issuedAtMs(token: usize): u64 {
  return bswap<u64>(load<u64>(token + TOKEN_SESSION_ID_AT)) >> 16;
}

/** Whether its session id is a UUIDv7 (RFC 9562): version 7, and the variant of the RFC. No other was ever issued. */
export function hasIssuedId(token: usize): bool {
  const version = load<u8>(sessionIdOf(token), 6) >> 4;
  const variant = load<u8>(sessionIdOf(token), 8) >> 6;
  return version == 7 && variant == 2;
}

/** Whether the tag signs the bytes before it. Always compares the whole tag, so time tells nothing about it. */
export function tagMatches(token: usize, tokenKeyState: usize): bool {
  hmacSign(tokenKeyState, token, TOKEN_TAG_AT, EXPECTED_TAG);
  const tag = token + TOKEN_TAG_AT;
  const difference = (load<u64>(tag) ^ load<u64>(EXPECTED_TAG)) | (load<u64>(tag, 8) ^ load<u64>(EXPECTED_TAG, 8));
  return difference == 0;
}
