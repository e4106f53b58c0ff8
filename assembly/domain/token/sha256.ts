// SHA-256 (FIPS 180-4) over linear memory, in steps that let HMAC keep the state between blocks.

export const SHA256_BYTES: u32 = 32;
export const SHA256_BLOCK_BYTES: u32 = 64;
/** Where the message length stands in the last block; before it at least one byte of padding. */
const LENGTH_AT: u32 = 56;

/** FIPS 180-4 section 4.2.2. */
// prettier-ignore
const K = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

/** FIPS 180-4 section 5.3.3. */
// prettier-ignore
const INITIAL_STATE = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

/** The message schedule: 64 words, and 16 that nobody reads. */
const W = memory.data(320);
const LAST_BLOCK = memory.data(64);
const STATE = memory.data(32);

/** Writes the initial state, eight words in the machine's order, to `state`. */
export function sha256Start(state: usize): void {
  memory.copy(state, INITIAL_STATE, SHA256_BYTES);
}

/** Takes one block of 64 bytes into `state` (FIPS 180-4 section 6.2.2). */
export function sha256Block(state: usize, block: usize): void {
  for (let at: usize = 0; at < SHA256_BLOCK_BYTES; at += 4) store<u32>(W + at, bswap<u32>(load<u32>(block + at)));
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  let f = load<u32>(state, 20);
  let g = load<u32>(state, 24);
  let h = load<u32>(state, 28);
  // Eight rounds a step: the eight words then change their names, and none is moved.
  for (let at: usize = 0; at < 256; at += 32) {
    h += mixed(e, f, g, at);
    d += h;
    h += chosen(a, b, c);
    g += mixed(d, e, f, at + 4);
    c += g;
    g += chosen(h, a, b);
    f += mixed(c, d, e, at + 8);
    b += f;
    f += chosen(g, h, a);
    e += mixed(b, c, d, at + 12);
    a += e;
    e += chosen(f, g, h);
    d += mixed(a, b, c, at + 16);
    h += d;
    d += chosen(e, f, g);
    c += mixed(h, a, b, at + 20);
    g += c;
    c += chosen(d, e, f);
    b += mixed(g, h, a, at + 24);
    f += b;
    b += chosen(c, d, e);
    a += mixed(f, g, h, at + 28);
    e += a;
    a += chosen(b, c, d);
  }
  store<u32>(state, load<u32>(state) + a);
  store<u32>(state, load<u32>(state, 4) + b, 4);
  store<u32>(state, load<u32>(state, 8) + c, 8);
  store<u32>(state, load<u32>(state, 12) + d, 12);
  store<u32>(state, load<u32>(state, 16) + e, 16);
  store<u32>(state, load<u32>(state, 20) + f, 20);
  store<u32>(state, load<u32>(state, 24) + g, 24);
  store<u32>(state, load<u32>(state, 28) + h, 28);
}

// Rotations are nested, (x>>>14 ^ x)>>>11 for x>>>25 ^ x>>>11: fewer registers to move, and as many operations.

/** Of T1 all but h: Σ1(e) + Ch(e, f, g) + K + W. */
// @ts-ignore: decorator
@inline
function mixed(e: u32, f: u32, g: u32, at: usize): u32 {
  const sum1 = rotr<u32>(rotr<u32>(rotr<u32>(e, 14) ^ e, 5) ^ e, 6);
  return sum1 + (g ^ (e & (f ^ g))) + load<u32>(K + at) + scheduled(W + at);
}

/** T2: Σ0(a) + Maj(a, b, c). */
// @ts-ignore: decorator
@inline
function chosen(a: u32, b: u32, c: u32): u32 {
  const sum0 = rotr<u32>(rotr<u32>(rotr<u32>(a, 9) ^ a, 11) ^ a, 2);
  return sum0 + ((a & b) ^ (c & (a ^ b)));
}

/** The word at `at`; also makes the word 16 further on: between two rounds that costs less than all of them ahead. */
// @ts-ignore: decorator
@inline
function scheduled(at: usize): u32 {
  const word = load<u32>(at);
  const next = load<u32>(at, 4);
  const last = load<u32>(at, 56);
  const sigma0 = rotr<u32>(rotr<u32>(next, 11) ^ next, 7) ^ (next >> 3);
  const sigma1 = rotr<u32>(rotr<u32>(last, 2) ^ last, 17) ^ (last >> 10);
  store<u32>(at, sigma1 + load<u32>(at, 36) + sigma0 + word, 64);
  return word;
}

/**
 * Takes the rest of a message, of which `before` bytes (whole blocks) are in `state` already, and writes the 32 bytes
 * of its hash to `target`. The target may lie where the source does. `state` is spent.
 */
export function sha256Finish(state: usize, source: usize, length: u32, before: u32, target: usize): void {
  let left = length;
  while (left >= SHA256_BLOCK_BYTES) {
    sha256Block(state, source);
    source += SHA256_BLOCK_BYTES;
    left -= SHA256_BLOCK_BYTES;
  }
  memory.fill(LAST_BLOCK, 0, SHA256_BLOCK_BYTES);
  memory.copy(LAST_BLOCK, source, left);
  store<u8>(LAST_BLOCK + left, 0x80);
  if (left >= LENGTH_AT) {
    sha256Block(state, LAST_BLOCK);
    memory.fill(LAST_BLOCK, 0, SHA256_BLOCK_BYTES);
  }
  const bits = (<u64>before + length) << 3;
  store<u64>(LAST_BLOCK + LENGTH_AT, bswap<u64>(bits));
  sha256Block(state, LAST_BLOCK);
  for (let at: usize = 0; at < SHA256_BYTES; at += 4) {
    store<u32>(target + at, bswap<u32>(load<u32>(state + at)));
  }
}

/** Writes the hash, 32 bytes, of `length` bytes to `target`. */
export function sha256(source: usize, length: u32, target: usize): void {
  sha256Start(STATE);
  sha256Finish(STATE, source, length, 0, target);
}
