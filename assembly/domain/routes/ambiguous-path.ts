// Paths that a service may read as another path than they say: no route exempts them (docs/policy.md, "Exempt requests").

const SLASH: u32 = 0x2f;
const DOT: u32 = 0x2e;
const PERCENT: u32 = 0x25;
const BACKSLASH: u32 = 0x5c;
const QUESTION: u32 = 0x3f;
const SEMICOLON: u32 = 0x3b;

/**
 * Whether a path, up to its query, has an empty segment that is not the last, a segment `.` or `..` (also with parameters
 * behind a ";"), `%2e`, `%2f` or `%5c` in either case, or a backslash.
 * @param path begins with "/"
 */
export function isAmbiguousPath(path: usize, bytes: u32): bool {
  const end = path + bytes;
  let at = path;
  while (at < end) {
    const char = <u32>load<u8>(at++);
    // Letters and digits are above all of the characters that matter but two.
    if (char > SLASH) {
      if (char == QUESTION) return false;
      if (char == BACKSLASH) return true;
      continue;
    }
    if (char == PERCENT && at + 1 < end && isHidden(load<u8>(at), load<u8>(at, 1))) return true;
    if (char == SLASH && at < end && isDotsOrEmpty(at, end)) return true;
  }
  return false;
}

/** The digits of ".", "/" or "\". */
function isHidden(high: u32, low: u32): bool {
  const lower = low | 0x20;
  if (high == 0x32) return lower == 0x65 || lower == 0x66;
  return high == 0x35 && lower == 0x63;
}

/** Of the segment that begins at `at`. */
function isDotsOrEmpty(at: usize, end: usize): bool {
  const first = <u32>load<u8>(at);
  if (first == SLASH) return true;
  if (first != DOT) return false;
  let next = at + 1;
  if (next < end && load<u8>(next) == DOT) next++;
  if (next == end) return true;
  const behind = <u32>load<u8>(next);
  return behind == SLASH || behind == QUESTION || behind == SEMICOLON;
}
