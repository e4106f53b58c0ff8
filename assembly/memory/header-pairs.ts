// Header pairs as the host takes them, built in a static buffer: u32 n; n x (u32 key bytes, u32 value bytes);
// n x (key 0 value 0), little endian (Proxy-Wasm ABI 0.2.1).

/** The most that one answer carries: content type, challenge or limit headers, and Retry-After. */
const MAX_PAIRS: u32 = 10;
/** Each: address and length of the key, address and length of the value. */
const pairs: usize = memory.data(160, 4);
let count: u32 = 0;

export const PAIRS_BUFFER: usize = memory.data(2048, 4);
const PAIRS_BUFFER_BYTES: u32 = 2048;

/** No pairs, in full: some hosts do not take 0 bytes for it. */
export const NO_PAIRS: usize = memory.data(4, 4);
export const NO_PAIRS_BYTES: u32 = 4;

export function startPairs(): void {
  count = 0;
}

/** Notes a pair; its bytes must stay in place until `writePairs`. */
export function addPair(key: usize, keyBytes: u32, value: usize, valueBytes: u32): void {
  if (count == MAX_PAIRS) return;
  const at = pairs + (count << 4);
  store<u32>(at, <u32>key);
  store<u32>(at, keyBytes, 4);
  store<u32>(at, <u32>value, 8);
  store<u32>(at, valueBytes, 12);
  count++;
}

export function pairCount(): u32 {
  return count;
}

/** The address of a noted pair's description: u32 key, key bytes, value, value bytes. */
export function pairAt(index: u32): usize {
  return pairs + (index << 4);
}

/** Notes a pair whose bytes are fixed. */
export function addFixedPair(key: ArrayBuffer, value: ArrayBuffer): void {
  addPair(changetype<usize>(key), key.byteLength, changetype<usize>(value), value.byteLength);
}

/**
 * Lays the noted pairs out in PAIRS_BUFFER. A pair that no longer fits is left out with all that follow.
 * @returns the length in bytes
 */
export function writePairs(): u32 {
  let fitting: u32 = 0;
  let size: u32 = 4;
  while (fitting < count) {
    const at = pairs + (fitting << 4);
    const next = size + 8 + load<u32>(at, 4) + 1 + load<u32>(at, 12) + 1;
    if (next > PAIRS_BUFFER_BYTES) break;
    size = next;
    fitting++;
  }
  store<u32>(PAIRS_BUFFER, fitting);
  let text = PAIRS_BUFFER + 4 + (fitting << 3);
  for (let i: u32 = 0; i < fitting; i++) {
    const at = pairs + (i << 4);
    const keyBytes = load<u32>(at, 4);
    const valueBytes = load<u32>(at, 12);
    store<u32>(PAIRS_BUFFER + (i << 3), keyBytes, 4);
    store<u32>(PAIRS_BUFFER + (i << 3), valueBytes, 8);
    memory.copy(text, load<u32>(at), keyBytes);
    store<u8>(text + keyBytes, 0);
    text += keyBytes + 1;
    memory.copy(text, load<u32>(at, 8), valueBytes);
    store<u8>(text + valueBytes, 0);
    text += valueBytes + 1;
  }
  return size;
}

/** Lays the noted pairs out in a block of their own, managed: at configure only. */
export function pairsBlock(): ArrayBuffer {
  const size = writePairs();
  const block = new ArrayBuffer(<i32>size);
  memory.copy(changetype<usize>(block), PAIRS_BUFFER, size);
  return block;
}
