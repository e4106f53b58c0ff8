// How many entries of a fixed table each session has: a u16 for some of the last bits of a session id, which are random.
// So one session cannot take all of the table, and no entry is searched for it.
import { SESSION_ID_BYTES } from "../../contract";
import { sessionIdOf } from "../../domain/token/token";

/** A power of two. A session in as many has the count of a given one: the two share what one may have. */
const SHARES: u32 = 4096;
export const SHARES_BYTES: u32 = SHARES * 2;

/** Address of the count of this token's session, in SHARES_BYTES at `shares`. */
// @ts-ignore: decorator
@inline
export function shareOf(shares: usize, token: usize): usize {
  return shares + (load<u16>(sessionIdOf(token), SESSION_ID_BYTES - 2) & ((SHARES - 1) << 1));
}
