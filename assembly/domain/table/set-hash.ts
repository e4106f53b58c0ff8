// Spreads session ids over the sets of the table.

/**
 * The set of a session id: both halves of its 16 bytes go through a 64-bit finaliser, the first after the seed.
 * Ids are public, so without the secret seed a client could look for sessions of its own that share a set.
 * The finaliser is SplitMix64's: a bijection in which each input bit flips each output bit with probability ½.
 * `setMask` is the number of sets, a power of two, less one.
 */
export function setIndexOf(sessionId: usize, seed: u64, setMask: u32): u32 {
  const mixed = finalise(finalise(load<u64>(sessionId) ^ seed) ^ load<u64>(sessionId, 8));
  return (<u32>(mixed >> 32)) & setMask;
}

/** Stafford's variant 13 of MurmurHash3's fmix64, the output function of SplitMix64 (Steele, Lea, Flood, 2014). */
// @ts-ignore: decorator
@inline
function finalise(x: u64): u64 {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}
