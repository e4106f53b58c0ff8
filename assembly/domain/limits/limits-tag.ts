// The tag of a plan's further limits: it says which limits the levels of an annex are of, and in which order.
import { MAX_LIMITS_OF_PLAN, SCOPE_EDGE } from "../../contract";
import { sha256 } from "../token/sha256";

/** The tag of a plan of scope edge that has no further limits. */
export const NO_TAG: u32 = 0;
/** The tag of limits whose hash happens to be NO_TAG. */
const INSTEAD_OF_NO_TAG: u32 = 1;

//   0         2       3
//   | plan id | scope | for each: length, name |

const NAMES_AT: u32 = 3;
/** A length of one byte, and MAX_NAME_CHARS. */
const MAX_NAME_BYTES: u32 = 33;
const text: usize = memory.data(NAMES_AT + <u32>MAX_LIMITS_OF_PLAN * MAX_NAME_BYTES);
const digest: usize = memory.data(32, 8);

/**
 * The first 4 bytes of SHA-256 over plan, scope and names: limits in another order, or with other rates, are the same.
 * @param names of ASCII characters, sorted
 */
export function tagOfLimits(planId: u32, scope: u8, names: string[]): u32 {
  if (names.length == 0 && scope == SCOPE_EDGE) return NO_TAG;
  store<u16>(text, <u16>planId);
  store<u8>(text, scope, 2);
  let end = text + NAMES_AT;
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    store<u8>(end++, <u8>name.length);
    for (let j = 0; j < name.length; j++) store<u8>(end++, <u8>name.charCodeAt(j));
  }
  sha256(text, <u32>(end - text), digest);
  const tag = load<u32>(digest);
  return tag == NO_TAG ? INSTEAD_OF_NO_TAG : tag;
}
