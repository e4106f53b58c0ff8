// The one layer of the filter's image: a tar of one file, within gzip. Each byte of it is written here and none by a compressor,
// whose output differs between versions of Node: the digest follows from the module alone (docs/decisions/0089).
import { crc32 } from "node:zlib";

export interface Layer {
  readonly tar: Buffer;
  readonly gzip: Buffer;
}

const BLOCK = 512;
/** The most that a stored block of deflate holds. */
const STORED_BYTES = 65_535;

/** A layer with this file, owned by root, readable by all, of the year 1970. */
export function layerOf(name: string, content: Buffer): Layer {
  const tar = tarOf(name, content);
  return { tar, gzip: storedGzip(tar) };
}

/** POSIX ustar (IEEE 1003.1-1988): a header, the content filled up to whole blocks, and two empty blocks. */
function tarOf(name: string, content: Buffer): Buffer {
  const filled = Math.ceil(content.length / BLOCK) * BLOCK;
  const tar = Buffer.alloc(BLOCK + filled + 2 * BLOCK);
  tarHeader(name, content.length).copy(tar);
  content.copy(tar, BLOCK);
  return tar;
}

function tarHeader(name: string, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, "0")}\0`;
  const fields: readonly (readonly [at: number, value: string])[] = [
    [0, name],
    [100, octal(0o644, 7)],
    // Owner and group.
    [108, octal(0, 7)],
    [116, octal(0, 7)],
    [124, octal(size, 11)],
    // Time of change, in seconds.
    [136, octal(0, 11)],
    // The sum is taken with blanks in its own place.
    [148, " ".repeat(8)],
    // A regular file.
    [156, "0"],
    [257, "ustar\0"],
    [263, "00"],
  ];
  for (const [at, value] of fields) header.write(value, at, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)} `, 148, "latin1");
  return header;
}

/** RFC 1952 around blocks of RFC 1951 that are stored as they are; no name, no time, system unknown. */
function storedGzip(content: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])];
  for (let at = 0; at < content.length; at += STORED_BYTES) {
    const block = content.subarray(at, at + STORED_BYTES);
    const isLast = at + STORED_BYTES >= content.length;
    const head = Buffer.from([isLast ? 1 : 0, 0, 0, 0, 0]);
    head.writeUInt16LE(block.length, 1);
    head.writeUInt16LE(STORED_BYTES - block.length, 3);
    parts.push(head, block);
  }
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(content), 0);
  trailer.writeUInt32LE(content.length, 4);
  return Buffer.concat([...parts, trailer]);
}
