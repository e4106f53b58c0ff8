// Whole texts that the host holds: the plugin's configuration, the body of an answer. Managed memory.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";
import { lendArena, returnArena } from "../memory/arena";
import { OK } from "./status";

const PLUGIN_CONFIGURATION: i32 = 7;
const CALL_RESPONSE_BODY: i32 = 4;

const out: usize = memory.data(8, 4);

/** The configuration, or "" if the host does not hand it over. `size` is that of `proxy_on_configure`. */
export function pluginConfiguration(size: u32): string {
  return read(PLUGIN_CONFIGURATION, size);
}

/** The body of an answer, or "" if the host does not hand it over; only in its callback, with the `size` given there. */
export function callResponseBody(size: u32): string {
  return read(CALL_RESPONSE_BODY, size);
}

/**
 * The body of an answer as bytes, behind `room` bytes of the caller's; null if the host does not hand over `size` bytes.
 * Only in its callback.
 */
export function callResponseBytes(size: u32, room: u32): StaticArray<u8> | null {
  const block = new StaticArray<u8>(<i32>(room + size));
  return readInto(CALL_RESPONSE_BODY, changetype<usize>(block) + room, size) == size ? block : null;
}

function read(buffer: i32, size: u32): string {
  if (size == 0) return "";
  const block = new StaticArray<u8>(<i32>size);
  const length = readInto(buffer, changetype<usize>(block), size);
  return String.UTF8.decodeUnsafe(changetype<usize>(block), length);
}

/** How many bytes the host has written to `target`: at most `size`; 0 if the call fails. */
function readInto(buffer: i32, target: usize, size: u32): u32 {
  lendArena(target, size);
  const status = abi.proxy_get_buffer_bytes(buffer, 0, size, out, out + 4);
  returnArena();
  return status == OK && load<u32>(out, 4) <= size ? load<u32>(out, 4) : 0;
}
