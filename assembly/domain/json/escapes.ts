// What the letter behind a backslash stands for in a JSON string (RFC 8259 section 7), but for the `u` of four hex digits.

/** The character's code; 0 for a letter that no escape has. */
export function escapedCode(letter: i32): i32 {
  switch (letter) {
    case 0x22: // quote
    case 0x5c: // backslash
    case 0x2f:
      return letter;
    case 0x62:
      return 0x08;
    case 0x66:
      return 0x0c;
    case 0x6e:
      return 0x0a;
    case 0x72:
      return 0x0d;
    case 0x74:
      return 0x09;
    default:
      return 0;
  }
}
