// A value of a header, a trailer or metadata, and what it costs in tokens.
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { ABSENT, COMPILE_TIMEOUT_MS, INVALID, MICRO, UsageReaders, microOf } from "./usage-readers.js";

const TOO_LARGE = 0xffff_ffff_ffff_ffffn;
let readers: UsageReaders;

beforeAll(async () => {
  readers = await UsageReaders.compile();
}, COMPILE_TIMEOUT_MS);

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

describe("a value in a header", () => {
  it("a cost in a header is a JSON number and no more", () => {
    for (const text of ["0", "12", "0.25", "1e3", "-0", "1234567.5", "0.0000001"])
      expect(readers.text(text), text).toBe(microOf(text));
    for (const text of ["x", "12 ", " 12", "+1", "01", "1.", ".5", "1e", "0x10", "1,2", "-1", "1e13", "NaN", "12;a=1"])
      expect(readers.text(text), text).toBe(INVALID);
    expect(readers.text("")).toBe(ABSENT);
  });
});

describe("a value in metadata", () => {
  it("a number in metadata is read to the nearest millionth", () => {
    for (const [value, micro] of [
      [0, 0n],
      [-0, 0n],
      [12, 12n * MICRO],
      [0.1, 100_000n],
      [1.1, 1_100_000n],
      [0.0000004, 0n],
      [2 ** 39 + 0.5, 2n ** 39n * MICRO + 500_000n],
      [1e12, 10n ** 18n],
    ] as const)
      expect(readers.metadata(double(value)), String(value)).toBe(micro);
    for (const value of [-1, -1e-9, 1e12 + 1, Infinity, -Infinity, NaN])
      expect(readers.metadata(double(value)), String(value)).toBe(INVALID);
  });

  it("a text in metadata is read too, also one as long as a number is in memory", () => {
    for (const text of ["1", "12345678", "1.500000", "0.000001", "1e000001", "123456789"])
      expect(readers.metadata(Buffer.from(text)), text).toBe(microOf(text));
    expect(readers.metadata(Buffer.alloc(0))).toBe(ABSENT);
    expect(readers.metadata(Buffer.from("12 token"))).toBe(INVALID);
    expect(readers.metadata(Buffer.from([1]))).toBe(INVALID);
  });

  it("a number in metadata of any size is what it is, and no text by chance", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.000001, max: 1e12, noNaN: true }), (value) => {
        const found = readers.metadata(double(value));
        expect(Math.abs(Number(found) - value * 1e6)).toBeLessThanOrEqual(0.5 + value * 1e-9);
      }),
      { numRuns: 2000, seed: 3 },
    );
  });
});

describe("what a value costs", () => {
  it("a cost is the value by its factor, rounded up to whole tokens", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.bigInt({ min: 1n, max: 10n ** 12n }), (value, times) => {
        const cost = (value * times + 10n ** 12n - 1n) / 10n ** 12n;
        expect(readers.costOf(value, times)).toBe(cost > 0xffff_ffffn ? TOO_LARGE : cost);
      }),
      { numRuns: 2000, seed: 4 },
    );
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 13n }), fc.bigInt({ min: 1n, max: 10n ** 8n }), (value, times) => {
        const cost = (value * times + 10n ** 12n - 1n) / 10n ** 12n;
        expect(readers.costOf(value, times)).toBe(cost);
      }),
      { numRuns: 2000, seed: 5 },
    );
    expect(readers.costOf(4_294_967_295n * MICRO, MICRO)).toBe(4_294_967_295n);
    expect(readers.costOf(4_294_967_295n * MICRO + 1n, MICRO)).toBe(TOO_LARGE);
    expect(readers.costOf(3n, 250_000n)).toBe(1n);
    expect(readers.costOf(0n, 10n ** 12n)).toBe(0n);
  });
});

describe("a level that is settled", () => {
  it("a settled level moves by the difference, between its capacity and as much below 0", () => {
    const tokens = fc.integer({ min: 0, max: 9_000_000 });
    const pico = 10n ** 12n;
    const cost = fc.oneof(tokens, fc.integer({ min: 0, max: 0xffff_ffff }));
    fc.assert(
      fc.property(tokens, fc.bigInt({ min: -1000n, max: 1000n }), tokens, cost, (max, thousandths, reserved, real) => {
        const capacity = BigInt(max) * pico;
        const level = (capacity * thousandths) / 1000n;
        const moved = level + (BigInt(reserved) - BigInt(real)) * pico;
        const expected = moved > capacity ? capacity : moved < -capacity ? -capacity : moved;
        expect(readers.call("levelAfter", level, capacity, reserved, real | 0)).toBe(expected);
      }),
      { numRuns: 5000, seed: 6 },
    );
  });
});
