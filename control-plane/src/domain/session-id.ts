// Session ids: a UUIDv7 (RFC 9562), 16 bytes in a token and 36 characters everywhere else.
import { SESSION_ID_BYTES } from "../../../assembly/contract.js";

const SESSION_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const TIME_BYTES = 6;
/** A clock that went back by no more than this has new ids go on after the newest (docs/decisions/0055-ids-follow-the-newest.md). */
export const IDS_AHEAD_MS = 600_000;
/** Hex digits of the time, and of the counter behind it (rand_a). */
const TIME_DIGITS = 12;
const COUNTER_DIGITS = 3;
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

/** No id that a session created now may follow is as high as this: what is, was given by a clock that was far ahead. */
export function sessionIdCeiling(id: string): string {
  return sessionIdFloor(idTimeMs(id) + IDS_AHEAD_MS);
}

/** The id itself, or where it would sort before `newest` or beside it the next one after that, with the id's own tail. */
export function idAfter(newest: string | undefined, id: string): string {
  if (newest === undefined || idTimeMs(id) > idTimeMs(newest)) return id;
  const [time, counter] = timeAndCounter(newest);
  const next = (BigInt(`0x${time}${counter}`) + 1n).toString(16).padStart(TIME_DIGITS + COUNTER_DIGITS, "0");
  const tail = digits(id).slice(TIME_DIGITS + 1 + COUNTER_DIGITS);
  return formatSessionId(Buffer.from(`${next.slice(0, TIME_DIGITS)}7${next.slice(TIME_DIGITS)}${tail}`, "hex"));
}

const digits = (id: string): string => id.replaceAll("-", "");

const timeAndCounter = (id: string): readonly [string, string] => {
  const hex = digits(id);
  return [hex.slice(0, TIME_DIGITS), hex.slice(TIME_DIGITS + 1, TIME_DIGITS + 1 + COUNTER_DIGITS)];
};

/** The time that an id of ours says: its creation's, or up to IDS_AHEAD_MS later. */
export const idTimeMs = (id: string): number => Number.parseInt(timeAndCounter(id)[0], 16);

/** 36 lower-case characters of 16 bytes. */
export function formatSessionId(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Whether a UUID, in lower case, is one that newSessionId can have made: version 7, variant 10. */
export const isOurs = (id: string): boolean => /^.{14}7.{4}[89ab]/.test(id);

/** The 16 bytes of a UUID of either case and any version; undefined where the text is none. */
export function parseSessionId(text: string): Uint8Array | undefined {
  return SESSION_ID.test(text) ? Buffer.from(text.replaceAll("-", ""), "hex") : undefined;
}
