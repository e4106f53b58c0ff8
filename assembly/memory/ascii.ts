// Characters of ASCII by their codes: of a byte, or of a UTF-16 unit, which may be any other character's as well.

// @ts-ignore: decorator
@inline
export function isDigit(code: i32): bool {
  return code >= 0x30 && code <= 0x39;
}

// @ts-ignore: decorator
@inline
export function isLowerLetter(code: i32): bool {
  return code >= 0x61 && code <= 0x7a;
}

// @ts-ignore: decorator
@inline
export function isUpperLetter(code: i32): bool {
  return code >= 0x41 && code <= 0x5a;
}

// @ts-ignore: decorator
@inline
export function lowerCase(code: i32): i32 {
  return isUpperLetter(code) ? code | 0x20 : code;
}

/** The four bits that a hex digit in either case stands for, or -1. */
export function nibbleOf(code: i32): i32 {
  if (isDigit(code)) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
