// A number in a JSON document that comes in pieces: against JSON.parse, over every cut.
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  ABSENT,
  COMPILE_TIMEOUT_MS,
  INVALID,
  MICRO,
  TOO_LONG,
  UsageReaders,
  everyByte,
  parsedValue,
  usageResponses,
  type Found,
} from "./usage-readers.js";

const MAX_DOCUMENT_BYTES = 1_048_576;
let readers: UsageReaders;

beforeAll(async () => {
  readers = await UsageReaders.compile();
}, COMPILE_TIMEOUT_MS);

const bytesOf = (text: string): Buffer => Buffer.from(text);
const valueIn = (document: string, pointer = "/a"): Found => readers.json(pointer, bytesOf(document));

/** Names that collide, and need escapes. */
const name = fc.constantFrom("a", "b", "ab", "", "a/b", "m~n", "ü", "😀", "0", "1", "__proto__", '"', "\\");
const pointer = fc
  .array(name, { minLength: 1, maxLength: 4 })
  .map((names) => names.map((one) => `/${one.replaceAll("~", "~0").replaceAll("/", "~1")}`).join(""));
const { document } = fc.letrec((tie) => ({
  document: fc.oneof(
    { maxDepth: 4 },
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.nat(),
    fc.constantFrom(null, true, false),
    fc.string({ unit: "binary" }),
    fc.array(tie("document"), { maxLength: 3 }),
    fc.dictionary(name, tie("document"), { maxKeys: 4 }),
  ),
}));
/** The same document in other words: space, and names that are escaped. */
const spelled = fc.tuple(document, fc.nat(3), fc.boolean()).map(([value, space, escapes]) => {
  const text = JSON.stringify(value, null, space);
  if (!escapes) return text;
  return text.replaceAll(/[ab~ü]|[\ud800-\udfff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
});

describe("a value in a JSON document", () => {
  it("a JSON value is what JSON.parse finds, in whatever pieces its document comes", () => {
    fc.assert(
      fc.property(spelled, pointer, fc.array(fc.nat(9)), (text, at, cuts) => {
        // Escapes may have gone into a literal.
        const expected = parsedValue(at, text);
        if (!isJson(text)) return;
        expect(readers.json(at, bytesOf(text), cuts)).toBe(expected);
        expect(readers.json(at, bytesOf(text), everyByte(bytesOf(text)))).toBe(expected);
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  it("a JSON number is exact to the millionth, and rounded up behind that", () => {
    const values: [string, Found][] = [
      ["0", 0n],
      ["-0", 0n],
      ["-0.0e5", 0n],
      ["12", 12n * MICRO],
      ["0.000001", 1n],
      ["0.0000001", 1n],
      ["0.1000001", 100_001n],
      ["1.5e3", 1500n * MICRO],
      ["15E-1", 1_500_000n],
      ["1e+2", 100n * MICRO],
      ["1e-400", 1n],
      ["1e-99999999999", 1n],
      ["0e99999999999", 0n],
      ["123456789012.345678", 123_456_789_012_345_678n],
      ["123456789012.34567800000000000000001", 123_456_789_012_345_679n],
      ["1000000000000", 10n ** 18n],
      ["1000000000000000000000000e-12", 10n ** 18n],
      ["1000000000000.0000001", INVALID],
      ["1000000000001", INVALID],
      ["1e13", INVALID],
      ["99999999999999999999999999", INVALID],
      ["1e99999999999", INVALID],
      ["-1", INVALID],
      ["-0.0000000001", INVALID],
    ];
    for (const [text, expected] of values) {
      expect(valueIn(`{"a":${text}}`), text).toBe(expected);
      expect(valueIn(`{"a":${text} }`), text).toBe(expected);
    }
  });

  it("a JSON value that is no number is invalid, and null is none", () => {
    for (const other of ['"12"', '""', "true", "false", "{}", "[]", '{"a":1}', "[1]"])
      expect(valueIn(`{"a":${other}}`), other).toBe(INVALID);
    for (const none of ["{}", '{"a":null}', '{"b":1}', "[1]", "1", "null", '{"A":1}', '{"aa":1}', '{"":1}'])
      expect(valueIn(none), none).toBe(ABSENT);
  });

  it("a name that a JSON object has twice counts with its last value, whatever that is", () => {
    expect(valueIn('{"a":1,"a":2}')).toBe(2n * MICRO);
    expect(valueIn('{"a":1,"a":null}')).toBe(ABSENT);
    expect(valueIn('{"a":{"b":1},"a":{"c":2}}', "/a/b")).toBe(ABSENT);
    expect(valueIn('{"a":"x","a":3}')).toBe(3n * MICRO);
  });

  it("a pointer finds elements by their place, and members by names of digits", () => {
    expect(valueIn("[1,[2,3,[4]],5]", "/1/2/0")).toBe(4n * MICRO);
    expect(valueIn("[[[1],2],3]", "/0/1")).toBe(2n * MICRO);
    expect(valueIn("[1,2]", "/2")).toBe(ABSENT);
    for (const none of ["/01", "/-", "/1e0", "/", "/4294967295"]) expect(valueIn("[1,2]", none), none).toBe(ABSENT);
    expect(valueIn('{"01":7}', "/01")).toBe(7n * MICRO);
  });

  it("a value in what turns out to be no JSON does not count", () => {
    for (const broken of ["", "x", "{,", '{"b":01,"a":1}', '{"b":"\n","a":1}', '{"b":"\\x","a":1}', '{"b":tru,"a":1}'])
      expect(valueIn(broken), broken).toBe(ABSENT);
    for (const broken of ["[DONE]", '{"b":1 2,"a":1}', '{"b":[1},"a":1}', '{"b":{]},"a":1}', '{"a":1x}', '{"a":1}}'])
      expect(valueIn(broken), broken).toBe(ABSENT);
  });

  it("a value counts as soon as it is there, should its document be cut off behind it", () => {
    for (const cut of ['{"a":1,', '{"a":1,"b":nu', '{"a":1 ']) expect(valueIn(cut), cut).toBe(MICRO);
    expect(valueIn('{"a":1')).toBe(ABSENT);
  });

  it("a JSON value is looked for in the first MiB of a document", () => {
    const filled = (bytes: number): string => `{"b":"${"x".repeat(bytes - '{"b":"","a":1}'.length)}","a":1}`;
    expect(valueIn(filled(MAX_DOCUMENT_BYTES))).toBe(MICRO);
    expect(valueIn(filled(MAX_DOCUMENT_BYTES + 2))).toBe(TOO_LONG);
    expect(readers.json("/a", bytesOf(filled(MAX_DOCUMENT_BYTES + 2)), [MAX_DOCUMENT_BYTES])).toBe(TOO_LONG);
    expect(valueIn(`{"a":2,"b":"${"x".repeat(MAX_DOCUMENT_BYTES)}"}`)).toBe(2n * MICRO);
  });

  it("a JSON value is found behind 64 levels of nesting, and no more are read", () => {
    const nested = (levels: number): string => `{"b":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)},"a":1}`;
    expect(valueIn(nested(64))).toBe(MICRO);
    expect(valueIn(nested(65))).toBe(TOO_LONG);
    expect(readers.json(`/a${"/a".repeat(15)}`, bytesOf(`${'{"a":'.repeat(16)}5${"}".repeat(16)}`))).toBe(5n * MICRO);
  });
});

describe("a document of the forms that language models answer in", () => {
  for (const { name: title, contentType, pointer: at, units, body } of usageResponses()) {
    if (!contentType.startsWith("application/json")) continue;
    it(`JSON usage cut at every byte: ${title}`, () => {
      const expected = units === null ? ABSENT : BigInt(units) * MICRO;
      const bytes = bytesOf(body);
      for (let cut = 0; cut <= bytes.length; cut++) expect(readers.json(at, bytes, [cut]), `${cut}`).toBe(expected);
      expect(readers.json(at, bytes, everyByte(bytes))).toBe(expected);
    });
  }
});

describe("bytes that are no document", () => {
  it("any bytes are read as JSON without a trap, and mean the same in any pieces", () => {
    const fragment = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      '"',
      "a",
      ":",
      ",",
      "1",
      "-",
      "e",
      ".",
      "\\",
      "\\u00",
      "null",
      " ",
    );
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fragment, { maxLength: 60 }).map((parts) => bytesOf(parts.join(""))),
    );
    let runs = 0;
    fc.assert(
      fc.property(garbage, pointer, fc.array(fc.nat(5)), (bytes, to, cuts) => {
        readers.watchesMemory = runs++ % 20 === 0;
        const whole = readers.json(to, bytes);
        expect(readers.json(to, bytes, cuts)).toBe(whole);
        expect(readers.changedOutsideState()).toBe(false);
      }),
      { numRuns: 500, seed: 2 },
    );
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
