// A number in the events of a text/event-stream that comes in pieces: against a reader of whole streams, over every cut.
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
  lastValue,
  usageResponses,
  type Found,
} from "./usage-readers.js";

let readers: UsageReaders;

beforeAll(async () => {
  readers = await UsageReaders.compile();
}, COMPILE_TIMEOUT_MS);

const bytesOf = (text: string): Buffer => Buffer.from(text);
const valueIn = (stream: string): Found => readers.events("/a", bytesOf(stream));

const lineEnd = fc.constantFrom("\n", "\r\n", "\r");
const line = fc.oneof(
  fc.constantFrom(
    ...["", "", "", ":", ": data: {}", "data", "data:", "data: ", "data:  ", "dat: 1", "dataa: 1", "event: message"],
    ...[
      "id: 1",
      "retry: 10",
      " data: {}",
      "data: [DONE]",
      "data: {",
      'data:"a"',
      "data: :1",
      "data: }",
      "\uFEFFdata: 1",
    ],
  ),
  fc.nat(9).map((value) => `data: {"a":${value}}`),
  fc.nat(9).map((value) => `data:{"a":${value}}`),
  fc.constantFrom("null", "-1", '"x"', "1e99").map((value) => `data: {"a":${value}}`),
  fc.string({ unit: "binary" }).map((text) => Buffer.from(text.replaceAll(/[\r\n]/g, "")).toString()),
);
const stream = fc
  .tuple(fc.constantFrom("", "\uFEFF", "\uFEFF\uFEFF"), fc.array(fc.tuple(line, lineEnd), { maxLength: 16 }), line)
  .map(([mark, lines, rest]) => mark + lines.map(([text, end]) => text + end).join("") + rest);

describe("a value in an event stream", () => {
  it("the last event with a value counts, in whatever pieces its stream comes", () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(9)), (text, cuts) => {
        const expected = lastValue("/a", text);
        expect(readers.events("/a", bytesOf(text), cuts)).toBe(expected);
        expect(readers.events("/a", bytesOf(text), everyByte(bytesOf(text)))).toBe(expected);
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  it("an event may have several lines of data, which are joined", () => {
    expect(valueIn('data: {"a":\ndata: 1\ndata: }\n\n')).toBe(MICRO);
    // A number does not go on in the next line.
    expect(valueIn('data: {"a":1\ndata: 2}\n\n')).toBe(ABSENT);
  });

  it("an event counts once an empty line has ended it", () => {
    expect(valueIn('data: {"a":1}\n')).toBe(ABSENT);
    expect(valueIn('data: {"a":1}\n\n')).toBe(MICRO);
    expect(valueIn('data: {"a":1}\r\r')).toBe(MICRO);
    expect(valueIn('data: {"a":1}\r\n\r')).toBe(MICRO);
    expect(valueIn('data: {"a":1}\r\n')).toBe(ABSENT);
    expect(valueIn('data: {"a":1}\n\ndata: {"a":2}\n')).toBe(MICRO);
  });

  it("an event without a value leaves the last one, and an invalid value replaces it", () => {
    expect(valueIn('data: {"a":1}\n\ndata: {"a":null}\n\ndata: [DONE]\n\n')).toBe(MICRO);
    expect(valueIn('data: {"a":1}\n\ndata: {"a":"x"}\n\n')).toBe(INVALID);
    expect(valueIn('data: {"a":"x"}\n\ndata: {"a":1}\n\n')).toBe(MICRO);
  });

  it("a stream may be as long as it likes, and an event up to 1 MiB", () => {
    const long = `data: {"b":"${"x".repeat(1_048_576)}","a":1}\n\n`;
    expect(valueIn(long)).toBe(TOO_LONG);
    const one = bytesOf('data: {"a":3}\n\n');
    readers.events("/a", bytesOf(`data: {"b":"${"x".repeat(1_000_000)}","a":2}\n\n`));
    const room = Number(readers.call("roomAt"));
    // The stream goes on behind what is in the room.
    for (let i = 0; i < 3; i++) readers.call("takeEvents", room, 1_000_021);
    expect(Number(readers.call("eventsMicro"))).toBe(2_000_000);
    expect(valueIn(`data: {"a":3}\n\n${long.slice(0, 1_050_000)}\n\n`)).toBe(3n * MICRO);
    expect(readers.events("/a", one)).toBe(3n * MICRO);
  });
});

describe("an event stream of the forms that language models answer in", () => {
  for (const { name: title, contentType, pointer, units, body } of usageResponses()) {
    if (!contentType.startsWith("text/event-stream")) continue;
    it(`event stream usage cut at every byte: ${title}`, () => {
      const expected = units === null ? ABSENT : BigInt(units) * MICRO;
      const bytes = bytesOf(body);
      for (let cut = 0; cut <= bytes.length; cut++)
        expect(readers.events(pointer, bytes, [cut]), `${cut}`).toBe(expected);
      expect(readers.events(pointer, bytes, everyByte(bytes))).toBe(expected);
    });
  }
});

describe("bytes that are no event stream", () => {
  it("any bytes are read as an event stream without a trap, and nothing grows with them", () => {
    const fragment = fc.constantFrom("data", ":", " ", "\r", "\n", "{", "}", '"a"', "1", "\uFEFF", "\\", "[", "]", "x");
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fragment, { maxLength: 60 }).map((parts) => bytesOf(parts.join(""))),
    );
    let runs = 0;
    fc.assert(
      fc.property(garbage, fc.array(fc.nat(5)), (bytes, cuts) => {
        readers.watchesMemory = runs++ % 20 === 0;
        const whole = readers.events("/a", bytes);
        expect(readers.events("/a", bytes, cuts)).toBe(whole);
        expect(readers.changedOutsideState()).toBe(false);
      }),
      { numRuns: 500, seed: 2 },
    );
  });
});
