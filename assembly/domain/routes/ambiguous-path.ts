// Paths that a service may read as another path than they say (docs/policy.md, "Exempt requests").
import { nibbleOf } from "../../memory/ascii";

const SLASH: u32 = 0x2f;
const DOT: u32 = 0x2e;
const HASH: u32 = 0x23;
const PERCENT: u32 = 0x25;
const BACKSLASH: u32 = 0x5c;
const QUESTION: u32 = 0x3f;
const SEMICOLON: u32 = 0x3b;
const SPACE: u32 = 0x20;
const TILDE: u32 = 0x7e;
const DELETE: u32 = 0x7f;

/**
 * Whether a path, up to its query, has one of these: an empty segment that is not the last; a segment `.` or `..`, also
 * before a ";" or a "%"; a "%" without two hex digits, or one that stands for a character by which paths are cut; a
 * character that belongs in no path.
 * @param path begins with "/"
 */
export function isAmbiguousPath(path: usize, bytes: u32): bool {
  const end = path + bytes;
  let at = path;
  while (at < end) {
    const char = <u32>load<u8>(at++);
    // Nearly every character of a path is a letter or a digit: it is passed by the fewest comparisons.
    if (char > SLASH) {
      if (char == QUESTION) return false;
      if (char == BACKSLASH || char > TILDE) return true;
      continue;
    }
    if (char <= SPACE || char == HASH) return true;
    if (char == PERCENT && (at + 1 >= end || mayMislead(load<u8>(at), load<u8>(at, 1)))) return true;
    if (char == SLASH && at < end && isDotsOrEmpty(at, end)) return true;
  }
  return false;
}

/**
 * Whether an escape with these two digits may be read as another character than it says. `%25` may be unescaped twice; `%c0`
 * and `%c1` begin no UTF-8, but an overlong ".", "/" or "\".
 */
function mayMislead(high: u8, low: u8): bool {
  const value = (nibbleOf(high) << 4) | nibbleOf(low);
  // `value` is below 0 where either is no hex digit.
  if (value < <i32>SPACE || value == DELETE || value == 0xc0 || value == 0xc1) return true;
  if (value == DOT || value == SLASH || value == BACKSLASH) return true;
  return value == PERCENT || value == SEMICOLON || value == QUESTION || value == HASH;
}

/** Whether the segment that begins at `at` is empty, `.` or `..`. */
function isDotsOrEmpty(at: usize, end: usize): bool {
  const first = <u32>load<u8>(at);
  if (first == SLASH) return true;
  if (first != DOT) return false;
  let next = at + 1;
  if (next < end && load<u8>(next) == DOT) next++;
  if (next == end) return true;
  const behind = <u32>load<u8>(next);
  return behind == SLASH || behind == QUESTION || behind == SEMICOLON || behind == PERCENT;
}
