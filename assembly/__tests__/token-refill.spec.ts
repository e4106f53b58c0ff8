// Refill is exact: no drift, no rounding gain, and honest times to wait.
import {
  toPico,
  elapsedUsSince,
  fromMicrotokens,
  refilledLevel,
  secondsUntil,
  toMicrotokens,
  wholeTokens,
} from "../domain/table/bucket";
import { request, startClient } from "./client";
import { randomBelow, randomOfAnySize, randomU64, seedRandom } from "./random";

const WEEK_US: u64 = 604800000000;
const TOKEN: i64 = 1000000000000;
const START_US: u64 = 123456789;

/** Requests each ceil(10⁶ ÷ rate) µs after the last, at maxTokens 1; answers how many were denied. */
function deniedWhenSpaced(rateMicro: u64): u32 {
  const stepUs = (<u64>TOKEN + rateMicro - 1) / rateMicro;
  startClient(1, rateMicro, START_US);
  let denied: u32 = 0;
  for (let atUs: u64 = 0; atUs < WEEK_US; atUs += stepUs) {
    if (!request(1, START_US + atUs)) denied++;
  }
  return denied;
}

/** The n-th request at ceil(n ÷ rate), at maxTokens 2: intervals that differ by a µs, and no drift in a week. */
function deniedOnSchedule(rateMicro: u64): u32 {
  startClient(2, rateMicro, START_US);
  const requests = (WEEK_US * rateMicro) / <u64>TOKEN;
  let denied: u32 = 0;
  for (let n: u64 = 0; n < requests; n++) {
    const atUs = (n * <u64>TOKEN + rateMicro - 1) / rateMicro;
    if (!request(1, START_US + atUs)) denied++;
  }
  return denied;
}

/** level + elapsed × rate in 128 bits, clamped: no division, no early clamp. */
function refilledByWideArithmetic(levelPico: i64, elapsedUs: u64, rateMicro: u64, capacity: i64): i64 {
  if (levelPico >= capacity) return capacity;
  const low = (elapsedUs & 0xffffffff) * (rateMicro & 0xffffffff);
  const middle1 = (elapsedUs >> 32) * (rateMicro & 0xffffffff) + (low >> 32);
  const middle2 = (elapsedUs & 0xffffffff) * (rateMicro >> 32) + (middle1 & 0xffffffff);
  const high = (elapsedUs >> 32) * (rateMicro >> 32) + (middle1 >> 32) + (middle2 >> 32);
  const gained = (middle2 << 32) | (low & 0xffffffff);
  const room = <u64>(capacity - levelPico);
  return high > 0 || gained >= room ? capacity : levelPico + <i64>gained;
}

describe("token refill: a client at exactly its rate is never denied in a week", () => {
  test("a client at 0.3 requests a second is never denied in a week", () => {
    expect(deniedWhenSpaced(300000)).toBe(0);
    expect(deniedOnSchedule(300000)).toBe(0);
  });

  test("a client at 3 requests a second is never denied in a week", () => {
    expect(deniedWhenSpaced(3000000)).toBe(0);
    expect(deniedOnSchedule(3000000)).toBe(0);
  });

  test("a client at 7.000001 requests a second is never denied in a week", () => {
    expect(deniedWhenSpaced(7000001)).toBe(0);
    expect(deniedOnSchedule(7000001)).toBe(0);
  });

  test("a request that comes one µs too early is denied", () => {
    startClient(1, 300000, START_US);
    expect(request(1, START_US)).toBe(true);
    expect(request(1, START_US + 3333333)).toBe(false);
    expect(request(1, START_US + 3333334)).toBe(true);
  });
});

describe("token refill: exactness", () => {
  test("a bucket loses and gains nothing, however often it is read", () => {
    startClient(2, 1, 0);
    let level: i64 = 0;
    for (let i = 0; i < 1000000; i++) level = refilledLevel(level, 7, 3, toPico(1));
    expect(level).toBe(21000000);
  });

  test("refills agree with 128-bit arithmetic for levels, rates and times of every size", () => {
    seedRandom(20240229);
    for (let i = 0; i < 500000; i++) {
      const capacity = toPico(<u32>(randomBelow(9000000) + 1));
      const level = <i64>randomOfAnySize() % capacity;
      const rateMicro = randomOfAnySize() % 1000000000001;
      // Half of the times lie about where the bucket is just full.
      let elapsedUs = randomOfAnySize();
      if ((i & 1) == 0 && rateMicro > 0) elapsedUs = <u64>(capacity - level) / rateMicro - 1 + randomBelow(3);
      const expected = refilledByWideArithmetic(level, elapsedUs, rateMicro, capacity);
      if (refilledLevel(level, elapsedUs, rateMicro, capacity) != expected) {
        expect(refilledLevel(level, elapsedUs, rateMicro, capacity)).toBe(expected, "case " + i.toString());
      }
    }
  });

  test("two refills give what one over the whole time gives, also out of a debt", () => {
    seedRandom(7);
    for (let i = 0; i < 200000; i++) {
      const capacity = toPico(<u32>(randomBelow(9000000) + 1));
      const level = capacity - <i64>randomBelow(<u64>capacity * 2);
      const rateMicro = randomBelow(1000000000001);
      const first = randomBelow(1 << 40);
      const second = randomBelow(1 << 40);
      const once = refilledLevel(level, first + second, rateMicro, capacity);
      const twice = refilledLevel(refilledLevel(level, first, rateMicro, capacity), second, rateMicro, capacity);
      if (once != twice) expect(twice).toBe(once, "case " + i.toString());
    }
  });

  test("a clock that lies before the last refill refills nothing", () => {
    expect(elapsedUsSince(1000, 999)).toBe(0);
    expect(elapsedUsSince(1000, 1000)).toBe(0);
    expect(elapsedUsSince(1000, 1001)).toBe(1);
    expect(elapsedUsSince(u64.MAX_VALUE, 0)).toBe(0);
    startClient(1, 1000000, START_US);
    expect(request(1, START_US + 10)).toBe(true);
    expect(request(1, START_US)).toBe(false);
    // The jump back is not credited again either.
    expect(request(1, START_US + 1000009)).toBe(false);
    expect(request(1, START_US + 1000010)).toBe(true);
  });
});

describe("token refill: what a client sees", () => {
  test("the tokens left are whole ones, and none while the bucket is in debt", () => {
    expect(wholeTokens(0)).toBe(0);
    expect(wholeTokens(TOKEN - 1)).toBe(0);
    expect(wholeTokens(TOKEN)).toBe(1);
    expect(wholeTokens(2 * TOKEN - 1)).toBe(1);
    expect(wholeTokens(-1)).toBe(0);
    expect(wholeTokens(i64.MIN_VALUE)).toBe(0);
    expect(wholeTokens(toPico(9000000))).toBe(9000000);
  });

  test("the seconds to wait are rounded up, 0 for none and -1 if waiting does not help", () => {
    expect(secondsUntil(0, TOKEN, 1000000, 1)).toBe(1);
    expect(secondsUntil(0, TOKEN, 999999, 1)).toBe(2);
    expect(secondsUntil(0, TOKEN, 1000001, 1)).toBe(1);
    expect(secondsUntil(TOKEN - 1, TOKEN, 1, 1)).toBe(1);
    expect(secondsUntil(TOKEN, TOKEN, 1, 1)).toBe(0);
    expect(secondsUntil(2 * TOKEN, TOKEN, 0, 1)).toBe(0);
    expect(secondsUntil(0, TOKEN, 0, 1)).toBe(-1);
    expect(secondsUntil(-TOKEN, TOKEN, 1000000, 1)).toBe(2);
    expect(secondsUntil(i64.MIN_VALUE, toPico(9000000), 1, 1)).toBe(18223372036855);
    expect(secondsUntil(0, toPico(9000000), 1000000000000, 1)).toBe(9);
  });

  test("the tokens are there after those seconds, and not a second earlier", () => {
    seedRandom(11);
    for (let i = 0; i < 100000; i++) {
      const capacity = toPico(<u32>(randomBelow(1000) + 1));
      const level = <i64>randomBelow(<u64>capacity);
      const rateMicro = randomBelow(10000000) + 1;
      const seconds = <u64>secondsUntil(level, capacity, rateMicro, 1);
      const there = refilledLevel(level, seconds * 1000000, rateMicro, capacity) == capacity;
      const earlier = refilledLevel(level, (seconds - 1) * 1000000, rateMicro, capacity) < capacity;
      if (!there || !earlier) expect(seconds).toBe(0, "case " + i.toString());
    }
  });
});

describe("token refill: levels on the wire", () => {
  test("levels on the wire are microtokens, rounded down on either side of zero", () => {
    expect(toMicrotokens(TOKEN)).toBe(1000000);
    expect(toMicrotokens(999999)).toBe(0);
    expect(toMicrotokens(-1)).toBe(-1);
    expect(toMicrotokens(-1000000)).toBe(-1);
    expect(toMicrotokens(-1000001)).toBe(-2);
    expect(toMicrotokens(i64.MIN_VALUE)).toBe(-9223372036855);
  });

  test("levels on the wire read back as they were sent", () => {
    seedRandom(3);
    for (let i = 0; i < 10000; i++) {
      const microtokens = <i64>(randomU64() % 18000000000000) - 9000000000000;
      expect(toMicrotokens(fromMicrotokens(microtokens))).toBe(microtokens);
    }
  });

  test("a level on the wire beyond the largest one stays at that bound", () => {
    expect(fromMicrotokens(9223372036854)).toBe(9223372036854000000);
    expect(fromMicrotokens(9223372036855)).toBe(i64.MAX_VALUE);
    expect(fromMicrotokens(-9223372036855)).toBe(i64.MIN_VALUE);
    expect(fromMicrotokens(i64.MAX_VALUE)).toBe(i64.MAX_VALUE);
    expect(fromMicrotokens(i64.MIN_VALUE)).toBe(i64.MIN_VALUE);
  });
});
