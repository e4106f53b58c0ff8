// A header map as Envoy keeps it: lower-case names in order, a name may repeat, and a get answers the first value.
// Names and values are byte strings: one character (0 to 255) a byte.

export type HeaderPairs = readonly (readonly [string, string])[];
export type HeaderInput = Readonly<Record<string, string>> | HeaderPairs;

const BYTE_STRING = "latin1";

export class HeaderMap {
  #pairs: [string, string][];

  constructor(headers: HeaderInput = {}) {
    const pairs: HeaderPairs = isPairs(headers) ? headers : Object.entries(headers);
    this.#pairs = pairs.map(([name, value]) => [name.toLowerCase(), value]);
  }

  get(name: string): string | undefined {
    return this.#pairs.find(([key]) => key === name.toLowerCase())?.[1];
  }

  add(name: string, value: string): void {
    this.#pairs.push([name.toLowerCase(), value]);
  }

  remove(name: string): void {
    this.#pairs = this.#pairs.filter(([key]) => key !== name.toLowerCase());
  }

  /** The first value is replaced and the others go. */
  replace(name: string, value: string): void {
    const at = this.#pairs.findIndex(([key]) => key === name.toLowerCase());
    if (at < 0) {
      this.add(name, value);
      return;
    }
    this.#pairs = this.#pairs.filter(([key], index) => index <= at || key !== name.toLowerCase());
    this.#pairs[at] = [name.toLowerCase(), value];
  }

  pairs(): HeaderPairs {
    return this.#pairs;
  }

  get size(): number {
    return this.#pairs.length;
  }
}

function isPairs(headers: HeaderInput): headers is HeaderPairs {
  return Array.isArray(headers);
}

/** u32 n; n × (u32 name length, u32 value length); n × (name 0 value 0), little endian: the ABI's form of pairs. */
export function encodePairs(pairs: HeaderPairs): Uint8Array {
  const lengths = Buffer.alloc(4 + pairs.length * 8);
  lengths.writeUInt32LE(pairs.length, 0);
  pairs.forEach(([name, value], index) => {
    lengths.writeUInt32LE(name.length, 4 + index * 8);
    lengths.writeUInt32LE(value.length, 8 + index * 8);
  });
  const texts = pairs.map(([name, value]) => Buffer.from(`${name}\0${value}\0`, BYTE_STRING));
  return Buffer.concat([lengths, ...texts]);
}

/** The reverse; bytes that are too few are no pairs at all, as in Envoy. */
export function decodePairs(bytes: Uint8Array): HeaderPairs {
  const buffer = Buffer.from(bytes);
  if (buffer.length < 4) return [];
  const count = buffer.readUInt32LE(0);
  if (4 + count * 8 > buffer.length) return [];
  let at = 4 + count * 8;
  const take = (length: number): string => {
    const text = buffer.toString(BYTE_STRING, at, at + length);
    at += length + 1;
    return text;
  };
  return Array.from({ length: count }, (_, index): [string, string] => {
    const name = take(buffer.readUInt32LE(4 + index * 8));
    return [name, take(buffer.readUInt32LE(8 + index * 8))];
  });
}
