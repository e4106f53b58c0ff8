// Where the host writes the bytes that it returns: one static block that holds those of the last read only.

/**
 * The largest value of a normal read is a set of the session table (1,280 bytes); a header longer than this is no
 * session token, and is reported as one that does not fit instead of taking memory.
 */
const ARENA_BYTES: u32 = 4096;
const ARENA: usize = memory.data(4096, 16);

let base: usize = ARENA;
let limit: u32 = ARENA_BYTES;

/**
 * The module's `proxy_on_memory_allocate`. Every host read asks once; its bytes stay until the next read.
 * @param size bytes wanted by the host
 * @returns an address, or 0 if they do not fit: the host call then answers INTERNAL_FAILURE (6), without a trap
 */
export function allocateForHost(size: u32): usize {
  return size <= limit ? base : 0;
}

/**
 * Lends a larger block to the reads up to `returnArena`: for a configuration or an answer of the control plane,
 * whose size the host says beforehand.
 */
export function lendArena(block: usize, size: u32): void {
  base = block;
  limit = size;
}

export function returnArena(): void {
  base = ARENA;
  limit = ARENA_BYTES;
}
