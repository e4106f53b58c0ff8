// Session ids spread evenly over the sets of the table, whatever the ids look like.
import { setIndexOf } from "../domain/table/set-hash";
import { randomBelow, randomU64, seedRandom } from "./random";

const SETS: u32 = 4096;
/** Half of what the table holds: 8 sessions a set on average. */
const SESSIONS: u32 = 32768;
const SEED: u64 = 0x0123456789abcdef;

const id = memory.data(16);
const counts = memory.data(16384);

function countAll(): void {
  memory.fill(counts, 0, SETS << 2);
}

function addCurrentId(seed: u64): void {
  const at = counts + (setIndexOf(id, seed, SETS - 1) << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** Variance over mean of the sessions in a set; 1 where ids fall at random (Poisson). */
function dispersion(): f64 {
  const mean = <f64>SESSIONS / <f64>SETS;
  let sum: f64 = 0;
  for (let i: u32 = 0; i < SETS; i++) {
    const off = <f64>load<u32>(counts + (i << 2)) - mean;
    sum += off * off;
  }
  return sum / <f64>SETS / mean;
}

/** The share of sessions beyond the 16 of their set. */
function overfull(): f64 {
  let beyond: u32 = 0;
  for (let i: u32 = 0; i < SETS; i++) {
    const count = load<u32>(counts + (i << 2));
    if (count > 16) beyond += count - 16;
  }
  return <f64>beyond / <f64>SESSIONS;
}

/** Big endian, as ids are written. */
function storeId(first: u64, second: u64): void {
  store<u64>(id, bswap<u64>(first));
  store<u64>(id, bswap<u64>(second), 8);
}

/** Four standard deviations of the index of dispersion: sqrt(2 / 4095) × 4. */
function expectRandomSpread(): void {
  expect(dispersion()).toBeGreaterThan(0.91);
  expect(dispersion()).toBeLessThan(1.09);
  // A Poisson mean of 8 puts 0.05 % of the sessions beyond 16.
  expect(overfull()).toBeLessThan(0.002);
}

describe("session table: spread over its sets", () => {
  test("sessions made within the same seconds spread as if at random", () => {
    seedRandom(5);
    countAll();
    for (let i: u32 = 0; i < SESSIONS; i++) {
      const ms = 1700000000000 + <u64>(i / 10);
      storeId((ms << 16) | 0x7000 | randomBelow(4096), 0x8000000000000000 | (randomU64() >> 2));
      addCurrentId(SEED);
    }
    expectRandomSpread();
  });

  test("ids that differ in a counter alone spread as if at random", () => {
    countAll();
    for (let i: u32 = 0; i < SESSIONS; i++) {
      storeId(((1700000000000 + <u64>i) << 16) | 0x7000, 0x8000000000000000);
      addCurrentId(SEED);
    }
    expectRandomSpread();
    countAll();
    for (let i: u32 = 0; i < SESSIONS; i++) {
      storeId(((<u64>1700000000000) << 16) | 0x7000, 0x8000000000000000 | i);
      addCurrentId(SEED);
    }
    expectRandomSpread();
  });

  test("ids that share a set under one secret spread under another", () => {
    countAll();
    let found: u32 = 0;
    // One id in 64 is expected; twice as many are looked through.
    for (let i: u64 = 0; found < SESSIONS && i < <u64>SESSIONS * 128; i++) {
      storeId(((<u64>1700000000000) << 16) | 0x7000, 0x8000000000000000 | i);
      if (setIndexOf(id, SEED, 63) == 0) {
        found++;
        addCurrentId(SEED + 1);
      }
    }
    expect(found).toBe(SESSIONS);
    expectRandomSpread();
  });

  test("the set index lies within the table, whatever its size", () => {
    storeId(u64.MAX_VALUE, u64.MAX_VALUE);
    for (let sets: u32 = 64; sets <= 262144; sets *= 2) {
      for (let seed: u64 = 0; seed < 100; seed++) expect(setIndexOf(id, seed, sets - 1)).toBeLessThan(sets);
    }
  });
});
