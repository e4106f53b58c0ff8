// The piece of a response's body that has just come, in blocks that fit static memory. It goes on to the client as it is.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";
import { lendArena, returnArena } from "../memory/arena";
import { OK } from "./status";

const RESPONSE_BODY: i32 = 1;

/** As Envoy reads from a connection by its defaults. */
const BLOCK_BYTES: u32 = 16384;
const block: usize = memory.data(16384, 8);
const out: usize = memory.data(8, 4);

/** Reads from `start` on. @returns how many bytes stand in the block, see `bodyBlock`: 0 behind the piece's end */
export function readResponseBody(start: u32): u32 {
  store<u64>(out, 0);
  lendArena(block, BLOCK_BYTES);
  const status = abi.proxy_get_buffer_bytes(RESPONSE_BODY, start, BLOCK_BYTES, out, out + 4);
  returnArena();
  return status == OK ? load<u32>(out, 4) : 0;
}

export function bodyBlock(): usize {
  return block;
}
