// A bucket never holds more than its capacity, and no arithmetic wraps or traps.
import { MAX_TOKENS } from "../contract";
import { toPico, refilledLevel, wholeTokens } from "../domain/table/bucket";
import { burst, request, startClient } from "./client";

const TOKEN: i64 = 1000000000000;
const FASTEST_MICRO: u64 = 1000000000000;

describe("bucket overflow", () => {
  test("a refill never passes the capacity", () => {
    expect(refilledLevel(0, 9, 1000000, 9000000)).toBe(9000000);
    expect(refilledLevel(0, 10, 1000000, 9000000)).toBe(9000000);
    expect(refilledLevel(1, 9, 1000000, 9000000)).toBe(9000000);
    expect(refilledLevel(0, 8, 1000000, 9000000)).toBe(8000000);
    expect(refilledLevel(8999999, 1, 1, 9000000)).toBe(9000000);
    expect(refilledLevel(9000000, 1, 1, 9000000)).toBe(9000000);
  });

  test("an idle client finds its bucket full and no fuller, after a second or a century", () => {
    const centuryUs: u64 = 3155760000000000;
    for (let idleUs: u64 = 1000000; idleUs <= centuryUs; idleUs *= 10) {
      startClient(100, 100000000, 0);
      expect(burst(100, 0)).toBe(100);
      expect(burst(150, idleUs)).toBe(100);
    }
  });

  test("a plan that became smaller clamps the level, with and without time passing", () => {
    expect(refilledLevel(50 * TOKEN, 0, 1000000, 10 * TOKEN)).toBe(10 * TOKEN);
    expect(refilledLevel(50 * TOKEN, 5, 1000000, 10 * TOKEN)).toBe(10 * TOKEN);
    expect(refilledLevel(50 * TOKEN, u64.MAX_VALUE, 0, 10 * TOKEN)).toBe(10 * TOKEN);
    expect(refilledLevel(i64.MAX_VALUE, u64.MAX_VALUE, u64.MAX_VALUE, 10 * TOKEN)).toBe(10 * TOKEN);
  });

  test("the largest plan fills to the brim and neither traps nor wraps", () => {
    const capacity = toPico(MAX_TOKENS);
    expect(capacity).toBe(9000000000000000000);
    expect(toPico(MAX_TOKENS)).toBe(capacity);
    expect(wholeTokens(capacity)).toBe(MAX_TOKENS);
    expect(refilledLevel(0, 9000000, FASTEST_MICRO, capacity)).toBe(capacity);
    expect(refilledLevel(0, 8999999, FASTEST_MICRO, capacity)).toBe(capacity - <i64>FASTEST_MICRO);
    startClient(MAX_TOKENS, FASTEST_MICRO, 0);
    expect(request(MAX_TOKENS, 0)).toBe(true);
    expect(request(MAX_TOKENS, 8999999)).toBe(false);
    expect(request(MAX_TOKENS, 9000000)).toBe(true);
  });

  test("the deepest debt of the largest plan is paid off exactly", () => {
    const capacity = toPico(MAX_TOKENS);
    // 2^63 + 9e18 picotokens are missing: more than an i64 counts.
    expect(refilledLevel(i64.MIN_VALUE, 0, 1, capacity)).toBe(i64.MIN_VALUE);
    expect(refilledLevel(i64.MIN_VALUE, 1, 1, capacity)).toBe(i64.MIN_VALUE + 1);
    expect(refilledLevel(i64.MIN_VALUE, 18223372036854775807, 1, capacity)).toBe(capacity - 1);
    expect(refilledLevel(i64.MIN_VALUE, 18223372036854775808, 1, capacity)).toBe(capacity);
    expect(refilledLevel(i64.MIN_VALUE, u64.MAX_VALUE, FASTEST_MICRO, capacity)).toBe(capacity);
    expect(refilledLevel(-capacity, 18000000, FASTEST_MICRO, capacity)).toBe(capacity);
    expect(refilledLevel(-capacity, 17999999, FASTEST_MICRO, capacity)).toBe(capacity - <i64>FASTEST_MICRO);
  });

  test("rate 0 refills nothing and does not trap, however long it lasts", () => {
    expect(refilledLevel(5, u64.MAX_VALUE, 0, TOKEN)).toBe(5);
    expect(refilledLevel(i64.MIN_VALUE, u64.MAX_VALUE, 0, TOKEN)).toBe(i64.MIN_VALUE);
    startClient(3, 0, 0);
    expect(burst(5, 0)).toBe(3);
    expect(burst(5, u64.MAX_VALUE)).toBe(0);
  });

  test("any elapsed time and any rate of 64 bits only fill the bucket", () => {
    expect(refilledLevel(0, u64.MAX_VALUE, 1, TOKEN)).toBe(TOKEN);
    expect(refilledLevel(0, 1, u64.MAX_VALUE, TOKEN)).toBe(TOKEN);
    expect(refilledLevel(0, u64.MAX_VALUE, u64.MAX_VALUE, TOKEN)).toBe(TOKEN);
    expect(refilledLevel(0, 0, u64.MAX_VALUE, TOKEN)).toBe(0);
    // 2^32 × 2^32 is 0 in 64 bits.
    expect(refilledLevel(0, 4294967296, 4294967296, TOKEN)).toBe(TOKEN);
  });
});
