// Steady, bursting and hammering clients get what their plan allows, and no more.
import { burst, request, startClient } from "./client";
import { randomBelow, seedRandom } from "./random";

const SECOND: u64 = 1000000;
const TEN_A_SECOND_MICRO: u64 = 10000000;

/** Requests of cost 1 every `stepUs`, from `fromUs` for `lengthUs`; answers how many were admitted. */
function steady(stepUs: u64, fromUs: u64, lengthUs: u64): u32 {
  let admitted: u32 = 0;
  for (let atUs: u64 = 0; atUs < lengthUs; atUs += stepUs) {
    if (request(1, fromUs + atUs)) admitted++;
  }
  return admitted;
}

describe("consumption patterns", () => {
  test("a burst is admitted up to maxTokens and not one more", () => {
    startClient(100, TEN_A_SECOND_MICRO, 0);
    expect(burst(250, 0)).toBe(100);
  });

  test("after a burst, what refilled meanwhile is admitted", () => {
    startClient(100, TEN_A_SECOND_MICRO, 0);
    expect(burst(100, 0)).toBe(100);
    expect(burst(50, 99999)).toBe(0);
    expect(burst(50, 100000)).toBe(1);
    expect(burst(50, 2 * SECOND)).toBe(19);
  });

  test("a steady client below its rate is never denied and ends with a full bucket", () => {
    startClient(5, TEN_A_SECOND_MICRO, 0);
    expect(steady(200000, 0, 600 * SECOND)).toBe(3000);
    expect(burst(10, 601 * SECOND)).toBe(5);
  });

  test("a client at twice its rate is admitted at its rate once the burst is spent", () => {
    startClient(10, TEN_A_SECOND_MICRO, 0);
    steady(50000, 0, 10 * SECOND);
    expect(steady(50000, 10 * SECOND, 60 * SECOND)).toBe(600);
  });

  test("bursts with rests between them are admitted as far as the rests refilled", () => {
    startClient(20, TEN_A_SECOND_MICRO, 0);
    expect(burst(20, 0)).toBe(20);
    expect(burst(20, SECOND)).toBe(10);
    expect(burst(20, 4 * SECOND)).toBe(20);
    expect(burst(20, 4 * SECOND)).toBe(0);
  });

  test("a costly request waits for its whole cost while cheap ones still pass", () => {
    startClient(10, TEN_A_SECOND_MICRO, 0);
    expect(request(8, 0)).toBe(true);
    expect(request(8, 0)).toBe(false);
    expect(request(2, 0)).toBe(true);
    expect(request(1, 0)).toBe(false);
    expect(request(8, 799999)).toBe(false);
    expect(request(8, 800000)).toBe(true);
  });

  test("a request of cost 0 is admitted from an empty bucket", () => {
    startClient(1, 0, 0);
    expect(burst(1, 0)).toBe(1);
    expect(request(0, 0)).toBe(true);
    expect(request(1, 0)).toBe(false);
  });
});

describe("rate limiting", () => {
  test("a denied request takes nothing, so hammering delays no later one", () => {
    startClient(1, 1000000, 0);
    expect(request(1, 0)).toBe(true);
    expect(steady(7, 1, SECOND - 1)).toBe(0);
    expect(request(1, SECOND)).toBe(true);
  });

  test("no client gets more than maxTokens + rate × time, whatever it does", () => {
    seedRandom(99);
    for (let round = 0; round < 500; round++) {
      const maxTokens = <u32>(randomBelow(50) + 1);
      const rateMicro = randomBelow(20000000);
      startClient(maxTokens, rateMicro, 0);
      let nowUs: u64 = 0;
      let spent: u64 = 0;
      for (let i = 0; i < 500; i++) {
        nowUs += randomBelow(4) == 0 ? randomBelow(2 * SECOND) : 0;
        const cost = <u32>randomBelow(maxTokens + 1);
        if (request(cost, nowUs)) spent += cost;
        const allowedMicro = <u64>maxTokens * 1000000 + (rateMicro * nowUs) / SECOND;
        if (spent * 1000000 > allowedMicro) expect(spent).toBe(0, "more than allowed in round " + round.toString());
      }
    }
  });
});
