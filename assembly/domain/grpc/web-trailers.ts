// The end of a gRPC-Web answer: its trailers, as the last frame of the body (grpc.io, PROTOCOL-WEB).
import { writeAscii, writeDecimal } from "../../memory/bytes";
import { encodeBase64Url } from "../token/base64url";

const TRAILERS: u8 = 0x80;
const FRAME_START_BYTES: u32 = 5;

/**
 * Writes them at `target`. Returns the address behind them.
 * @param message ASCII, and such as stands in `grpc-message` as it is: no control character, no "%"
 */
export function writeWebTrailers(target: usize, status: u32, message: string): usize {
  const start = target + FRAME_START_BYTES;
  let end = writeDecimal(writeAscii(start, "grpc-status:"), status);
  end = writeAscii(writeAscii(end, "\r\ngrpc-message:"), message);
  end = writeAscii(end, "\r\n");
  store<u8>(target, TRAILERS);
  store<u32>(target, bswap<u32>(<u32>(end - start)), 1);
  return end;
}

/** Writes `bytes` bytes in base64 at `target`, padded, as the text form of gRPC-Web has it. Returns the address behind. */
export function writeBase64(target: usize, source: usize, bytes: u32): usize {
  let end = target + encodeBase64Url(source, bytes, target);
  for (let at = target; at < end; at++) {
    const char = load<u8>(at);
    if (char == 0x2d) store<u8>(at, 0x2b);
    else if (char == 0x5f) store<u8>(at, 0x2f);
  }
  while (((end - target) & 3) != 0) store<u8>(end++, 0x3d);
  return end;
}
