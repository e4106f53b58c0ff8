// The vector files of test/vectors, which both programs' suites read, and bytes in and out of specs.

/** Rows and cells of one list of a vector file, as the suite's configuration hands them over. */
@external("vectors", "table")
declare function table(file: string, list: string, columns: string): string;

/** The rows of a list, each with its cells in the order of the comma-separated `columns`. */
export function vectorRows(file: string, list: string, columns: string): string[][] {
  const rows = table(file, list, columns).split("\u001e");
  const cells = new Array<string[]>();
  for (let i = 0; i < rows.length; i++) cells.push(rows[i].split("\u001f"));
  return cells;
}

/** The only row whose first cell is `name`. */
export function rowNamed(rows: string[][], name: string): string[] {
  for (let i = 0; i < rows.length; i++) {
    if (rows[i][0] == name) return rows[i];
  }
  throw new Error("no row " + name);
}

export function addressOf(bytes: Uint8Array): usize {
  return bytes.dataStart;
}

export function utf8(text: string): Uint8Array {
  return Uint8Array.wrap(String.UTF8.encode(text));
}

export function unhex(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length >> 1);
  for (let i = 0; i < bytes.length; i++) bytes[i] = <u8>parseInt(hex.substr(i << 1, 2), 16);
  return bytes;
}

export function hexAt(address: usize, length: u32): string {
  let hex = "";
  for (let i: u32 = 0; i < length; i++)
    hex += load<u8>(address + i)
      .toString(16)
      .padStart(2, "0");
  return hex;
}

export function textAt(address: usize, chars: u32): string {
  return String.UTF8.decodeUnsafe(address, chars);
}
