// Session ids: a UUIDv7 (RFC 9562), 16 bytes in a token and 36 characters everywhere else.
import { SESSION_ID_BYTES } from "../../../assembly/contract.js";

const SESSION_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const TIME_BYTES = 6;
/** What follows the time; six bits of it give way to version and variant. */
export const SESSION_ID_RANDOM_BYTES = 10;

/** A new id, lower case, of a wall clock and SESSION_ID_RANDOM_BYTES fresh random bytes (RFC 9562 section 5.7). */
export function newSessionId(nowMs: number, random: Uint8Array): string {
  if (random.length !== SESSION_ID_RANDOM_BYTES) {
    throw new RangeError(`a session id needs ${SESSION_ID_RANDOM_BYTES} random bytes, not ${random.length}`);
  }
  const bytes = Buffer.alloc(SESSION_ID_BYTES);
  bytes.writeUIntBE(nowMs, 0, TIME_BYTES);
  bytes.set(random, TIME_BYTES);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return formatSessionId(bytes);
}

/** The smallest id that a session of `atMs` or later can have: where a walk in the order of creation begins. */
export function sessionIdFloor(atMs: number): string {
  return newSessionId(Math.max(0, atMs), new Uint8Array(SESSION_ID_RANDOM_BYTES));
}

/** 36 lower-case characters of 16 bytes. */
export function formatSessionId(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** The 16 bytes of a UUID of either case and any version; undefined where the text is none. */
export function parseSessionId(text: string): Uint8Array | undefined {
  return SESSION_ID.test(text) ? Buffer.from(text.replaceAll("-", ""), "hex") : undefined;
}
