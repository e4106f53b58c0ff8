// One line of a request's cookies, `name=value; name=value` (RFC 6265 section 4.2.1): a value is found in it, or taken out.

const SEMICOLON: u8 = 0x3b;
/** In each byte of eight. */
const SEMICOLONS: u64 = 0x3b3b3b3b3b3b3b3b;
const ONES: u64 = 0x0101010101010101;
const HIGH_BITS: u64 = 0x8080808080808080;
const EQUALS: u8 = 0x3d;
const QUOTE: u8 = 0x22;
const SPACE: u8 = 0x20;
const TAB: u8 = 0x09;

/** The address of the first pair of this name, behind its "="; 0 where there is none. Names are compared by the byte. */
export function findCookie(line: usize, end: usize, name: usize, nameBytes: u32): usize {
  while (line < end) {
    const pairEnd = endOfPair(line, end);
    const value = valueOfPair(line, pairEnd, name, nameBytes);
    if (value != 0) return value;
    line = pairEnd + 1;
  }
  return 0;
}

/** Where a value begins: blanks and one opening quote are no part of it. */
export function valueStart(value: usize, end: usize): usize {
  while (value < end && isBlank(load<u8>(value))) value++;
  return value < end && load<u8>(value) == QUOTE ? value + 1 : value;
}

/** Where the value that begins at `start` ends, blanks and a closing quote cut. */
export function valueEnd(start: usize, end: usize): usize {
  let at = endOfPair(start, end);
  while (at > start && isBlank(load<u8>(at - 1))) at--;
  return at > start && load<u8>(at - 1) == QUOTE ? at - 1 : at;
}

/** Takes all pairs of this name out of the line, in place; the others stay as they are. Returns the line's new end. */
export function cutCookie(line: usize, end: usize, name: usize, nameBytes: u32): usize {
  let kept = line;
  for (let pair = line; pair <= end;) {
    const pairEnd = endOfPair(pair, end);
    if (valueOfPair(pair, pairEnd, name, nameBytes) == 0) kept = keepPair(line, kept, pair, pairEnd);
    pair = pairEnd + 1;
  }
  return kept;
}

/** Appends a pair to those that stay, as it stands. Returns the new end. */
function keepPair(line: usize, kept: usize, pair: usize, pairEnd: usize): usize {
  if (kept == line) while (pair < pairEnd && isBlank(load<u8>(pair))) pair++;
  else store<u8>(kept++, SEMICOLON);
  memory.copy(kept, pair, pairEnd - pair);
  return kept + (pairEnd - pair);
}

/** The address behind the "=" of a pair of this name, or 0. */
function valueOfPair(pair: usize, pairEnd: usize, name: usize, nameBytes: u32): usize {
  while (pair < pairEnd && isBlank(load<u8>(pair))) pair++;
  let behind = pair + nameBytes;
  if (behind >= pairEnd || memory.compare(pair, name, nameBytes) != 0) return 0;
  while (behind < pairEnd && isBlank(load<u8>(behind))) behind++;
  return behind < pairEnd && load<u8>(behind) == EQUALS ? behind + 1 : 0;
}

/** Eight bytes a step; those behind the line's end are looked at, and do not count. */
function endOfPair(at: usize, end: usize): usize {
  for (; at < end; at += 8) {
    const differs = load<u64>(at) ^ SEMICOLONS;
    const equals = (differs - ONES) & ~differs & HIGH_BITS;
    if (equals != 0) return min(at + ((<usize>ctz(equals)) >> 3), end);
  }
  return end;
}

// @ts-ignore: decorator
@inline
function isBlank(char: u8): bool {
  return char == SPACE || char == TAB;
}
