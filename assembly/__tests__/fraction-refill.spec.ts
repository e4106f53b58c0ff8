// Rates of P ÷ Q picotokens a µs: exact for every split of time, held against arithmetic in 128 bits.
import { refill, secondsUntil, usUntil } from "../domain/table/bucket";
import { randomBelow, randomOfAnySize, randomU64, seedRandom } from "./random";

const TOKEN: i64 = 1000000000000;
const MICROTOKEN: u64 = 1000000;
/** A number in limbs of 32 bits, the lowest first. */
const wide = memory.data(24, 8);
const bucket = memory.data(16, 8);

let ratePico: u64 = 1;
let rateUs: u32 = 1;

/** `refill: tokens/seconds`, reduced. */
function useRate(tokens: u64, seconds: u64): void {
  let a = tokens * MICROTOKEN;
  let b = seconds;
  while (b != 0) {
    const rest = a % b;
    a = b;
    b = rest;
  }
  ratePico = (tokens * MICROTOKEN) / a;
  rateUs = <u32>(seconds / a);
}

/** Any rate that a policy may have. */
function useRandomRate(): void {
  const units: u64[] = [1, 60, 3600, 86400];
  const seconds = units[<i32>randomBelow(4)] * (1 + randomBelow(1000));
  useRate(1 + randomBelow(randomBelow(2) == 0 ? 9000000 : 20), seconds);
}

function put(levelPico: i64, remainder: u32): void {
  store<i64>(bucket, levelPico);
  store<u16>(bucket, <u16>remainder, 8);
}

function pass(elapsedUs: u64, capacity: i64): i64 {
  return refill(bucket, bucket + 8, elapsedUs, ratePico, rateUs, capacity);
}

function remainder(): u32 {
  return load<u16>(bucket, 8);
}

/** wide = a × b + c. */
function multiply(a: u64, b: u64, c: u64): void {
  memory.fill(wide, 0, 24);
  for (let i: u32 = 0; i < 2; i++) {
    let carry: u64 = 0;
    for (let j: u32 = 0; j < 2; j++) {
      const at = wide + ((i + j) << 2);
      const sum = <u64>load<u32>(at) + ((a >> (i * 32)) & 0xffffffff) * ((b >> (j * 32)) & 0xffffffff) + carry;
      store<u32>(at, <u32>sum);
      carry = sum >> 32;
    }
    store<u32>(wide + ((i + 2) << 2), <u32>carry);
  }
  let carry = c;
  for (let i: u32 = 0; i < 5; i++) {
    const sum = <u64>load<u32>(wide + (i << 2)) + (carry & 0xffffffff);
    store<u32>(wide + (i << 2), <u32>sum);
    carry = (carry >> 32) + (sum >> 32);
  }
}

/** wide ÷= divisor. Returns the rest. */
function divide(divisor: u32): u32 {
  let rest: u64 = 0;
  for (let i: i32 = 4; i >= 0; i--) {
    const limb = (rest << 32) | (<u64>load<u32>(wide + ((<u32>i) << 2)));
    store<u32>(wide + ((<u32>i) << 2), <u32>(limb / divisor));
    rest = limb % divisor;
  }
  return <u32>rest;
}

function isBeyondU64(): bool {
  return (load<u32>(wide, 8) | load<u32>(wide, 12) | load<u32>(wide, 16)) != 0;
}

/** What `pass` should come to, by 128 bits; leaves the remainder in `expectedRemainder`. */
let expectedRemainder: u32 = 0;
function expectedLevel(levelPico: i64, held: u32, elapsedUs: u64, capacity: i64): i64 {
  expectedRemainder = 0;
  if (levelPico >= capacity) return capacity;
  multiply(elapsedUs, ratePico, held < rateUs ? held : 0);
  expectedRemainder = divide(rateUs);
  const room = <u64>capacity - <u64>levelPico;
  if (!isBeyondU64() && load<u64>(wide) < room) return levelPico + load<i64>(wide);
  expectedRemainder = 0;
  return capacity;
}

describe("a rate that is no whole number of microtokens a second", () => {
  test("a refill by unit is what arithmetic in 128 bits says, for any rate, time and debt", () => {
    seedRandom(3);
    let wrong = 0;
    for (let i = 0; i < 300000; i++) {
      useRandomRate();
      const capacity = <i64>(1 + randomBelow(9000000)) * TOKEN;
      const level = randomBelow(4) == 0 ? -(<i64>(randomU64() % <u64>capacity)) : <i64>(randomU64() % <u64>capacity);
      const held = <u32>randomBelow(60000);
      const elapsedUs = randomOfAnySize();
      put(level, held);
      const got = pass(elapsedUs, capacity);
      if (got != expectedLevel(level, held, elapsedUs, capacity) || load<i64>(bucket) != got) wrong++;
      else if (rateUs != 1 && remainder() != expectedRemainder) wrong++;
    }
    expect(wrong).toBe(0);
  });

  test("a refill by unit comes to the same in one step and in many", () => {
    seedRandom(4);
    let wrong = 0;
    for (let i = 0; i < 3000; i++) {
      useRandomRate();
      const capacity = 9000000 * TOKEN;
      let sumUs: u64 = 0;
      put(-3 * TOKEN, 0);
      for (let step: u64 = randomBelow(60); step > 0; step--) {
        const us = randomBelow(randomBelow(2) == 0 ? 3 : 50000000);
        sumUs += us;
        pass(us, capacity);
      }
      const level = load<i64>(bucket);
      const left = remainder();
      put(-3 * TOKEN, 0);
      if (pass(sumUs, capacity) != level || (level != capacity && rateUs != 1 && remainder() != left)) wrong++;
    }
    expect(wrong).toBe(0);
  });

  test("a client at 10,000 a day is never denied in a month, and gets no request more", () => {
    useRate(10000, 86400);
    expect(ratePico).toBe(3125000);
    expect(rateUs).toBe(27);
    put(TOKEN, 0);
    let atUs: u64 = 0;
    let denied = 0;
    // The n-th request at ceil(n × 8,640,000 µs): the interval is whole, so each comes exactly when its token does.
    for (let n: u64 = 0; n < 300000; n++) {
      const nextUs = n * 8640000;
      if (pass(nextUs - atUs, TOKEN) < TOKEN) denied++;
      else store<i64>(bucket, load<i64>(bucket) - TOKEN);
      atUs = nextUs;
    }
    expect(denied).toBe(0);
    expect(pass(8639999, TOKEN) < TOKEN).toBe(true);
    expect(pass(1, TOKEN)).toBe(TOKEN);
  });

  test("a client at its rate is never denied, whatever the rate", () => {
    seedRandom(5);
    let denied = 0;
    for (let i = 0; i < 2000; i++) {
      const tokens = 1 + randomBelow(5000);
      const seconds = 1 + randomBelow(86400000);
      useRate(tokens, seconds);
      put(2 * TOKEN, 0);
      let atUs: u64 = 0;
      for (let n: u64 = 0; n < 100; n++) {
        const nextUs = (n * seconds * 1000000 + tokens - 1) / tokens;
        if (pass(nextUs - atUs, 2 * TOKEN) < TOKEN) denied++;
        else store<i64>(bucket, load<i64>(bucket) - TOKEN);
        atUs = nextUs;
      }
    }
    expect(denied).toBe(0);
  });

  test("no window admits more than the capacity and what its time refills", () => {
    seedRandom(6);
    let over = 0;
    for (let i = 0; i < 300; i++) {
      const tokens = 1 + randomBelow(3000);
      const seconds = 1 + randomBelow(100000);
      useRate(tokens, seconds);
      const capacity: i64 = 5 * TOKEN;
      put(capacity, 0);
      let elapsedUs: u64 = 0;
      let admitted: u64 = 0;
      for (let n = 0; n < 500; n++) {
        const us = randomBelow(2000000);
        elapsedUs += us;
        if (pass(us, capacity) < TOKEN) continue;
        store<i64>(bucket, load<i64>(bucket) - TOKEN);
        admitted++;
      }
      if (admitted > 5 + (tokens * elapsedUs) / (seconds * 1000000)) over++;
    }
    expect(over).toBe(0);
  });

  test("a full bucket has no remainder, and one of another rate counts as none", () => {
    useRate(10, 86400000);
    put(0, 7);
    expect(pass(u64.MAX_VALUE, TOKEN)).toBe(TOKEN);
    expect(remainder()).toBe(0);
    put(0, rateUs);
    pass(0, TOKEN);
    expect(remainder()).toBe(0);
    put(TOKEN, 9);
    pass(0, TOKEN);
    expect(remainder()).toBe(0);
  });
});

describe("the wait for a rate that is no whole number of microtokens a second", () => {
  test("the wait in µs is the shortest after which the level is there", () => {
    seedRandom(7);
    let wrong = 0;
    for (let i = 0; i < 100000; i++) {
      useRandomRate();
      const capacity = 9000000 * TOKEN;
      const target = <i64>(1 + (randomU64() % <u64>capacity));
      const level = target - 1 - <i64>(randomU64() % <u64>target);
      const held = <u32>randomBelow(60000);
      const us = usUntil(level, held, target, ratePico, rateUs);
      if (us == u64.MAX_VALUE) continue;
      put(level, held);
      if (pass(us, capacity) < target) wrong++;
      put(level, held);
      if (us > 0 && pass(us - 1, capacity) >= target) wrong++;
    }
    expect(wrong).toBe(0);
  });

  test("the wait in seconds is that in µs, rounded up", () => {
    seedRandom(8);
    let wrong = 0;
    for (let i = 0; i < 100000; i++) {
      useRandomRate();
      const target = <i64>(1 + (randomU64() % 9000000000000000000));
      const level = target - 1 - <i64>(randomU64() % <u64>target);
      const us = usUntil(level, 0, target, ratePico, rateUs);
      if (us == u64.MAX_VALUE) continue;
      if (secondsUntil(level, target, ratePico, rateUs) != <i64>((us - 1) / 1000000) + 1) wrong++;
    }
    expect(wrong).toBe(0);
    // One picotoken in each 86.4 µs: 9 million tokens take 2,465 million years.
    useRate(1, 86400000);
    expect(secondsUntil(0, 9000000 * TOKEN, ratePico, rateUs)).toBe(9000000 * 86400000);
    expect(usUntil(0, 0, 9000000 * TOKEN, ratePico, rateUs)).toBe(u64.MAX_VALUE);
  });

  test("what never refills is waited for for ever", () => {
    expect(secondsUntil(0, TOKEN, 0, 1)).toBe(-1);
    expect(usUntil(0, 0, TOKEN, 0, 1)).toBe(u64.MAX_VALUE);
  });
});
