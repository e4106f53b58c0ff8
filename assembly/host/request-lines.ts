// All header lines of a request at once: for a header that may stand on several, of which the host otherwise shows the
// first alone. As Envoy lays them out: u32 n; n x (u32 key bytes, u32 value bytes); n x (key 0 value 0), little endian.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";
import { lendArena, returnArena } from "../memory/arena";
import { readRequestHeader } from "./headers";
import { OK } from "./status";

const REQUEST_HEADERS: i32 = 0;

/** More than Envoy admits by its defaults: 60 KiB in 100 headers. */
const BLOCK_BYTES: u32 = 65536;
const block: usize = memory.data(65536, 4);
const out: usize = memory.data(8, 4);

let lines: u32 = 0;
let next: u32 = 0;
let text: usize = 0;

/** As readRequestHeader, for a value of up to 64 KiB. */
export function readLongRequestHeader(name: usize, nameBytes: u32): u32 {
  lendArena(block, BLOCK_BYTES);
  const status = readRequestHeader(name, nameBytes);
  returnArena();
  return status;
}

/** Reads all lines; they stay until the next long read. False: they do not fit, and there are none. */
export function readRequestLines(): bool {
  lendArena(block, BLOCK_BYTES);
  const status = abi.proxy_get_header_map_pairs(REQUEST_HEADERS, out, out + 4);
  returnArena();
  const fits = status == OK && load<u32>(out, 4) >= 4;
  lines = fits ? load<u32>(block) : 0;
  rewindLines();
  return fits;
}

/** Before the first line. */
export function rewindLines(): void {
  next = 0;
  text = block + 4 + ((<usize>lines) << 3);
}

/** A line's value: where it stands in memory, and how many bytes it has. */
@unmanaged
export class LineValue {
  address: usize;
  bytes: u32;
}

/** Goes on to the next line with this name, in lower case. False: there is none; else its value stands in `line`. */
export function nextLine(name: usize, nameBytes: u32, line: LineValue): bool {
  while (next < lines) {
    const at = block + 4 + (next++ << 3);
    const key = text;
    const keyBytes = load<u32>(at);
    line.address = key + keyBytes + 1;
    line.bytes = load<u32>(at, 4);
    text = line.address + line.bytes + 1;
    if (keyBytes == nameBytes && memory.compare(key, name, nameBytes) == 0) return true;
  }
  return false;
}
