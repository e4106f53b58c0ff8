// Several buckets of a session: what a request takes from them, and what an answer makes of them.
import { PICO_PER_TOKEN, SET_BYTES } from "../contract";
import { AcquireAnswer } from "../domain/edge/acquire-answer";
import { makeLevels, putMadeLevels } from "../domain/limits/answered-limits";
import * as buckets from "../domain/limits/buckets";
import { compileLimits } from "../domain/limits/compile-limits";
import { LimitTable } from "../domain/limits/limit-table";
import { tagOfLimits } from "../domain/limits/limits-tag";
import { Policy } from "../domain/policy/model";
import { validatePolicy } from "../domain/policy/validator";
import * as annex from "../domain/table/annex";
import * as record from "../domain/table/record";
import { link, put, set } from "./annexed-set";
import { randomBelow, seedRandom } from "./random";

const NO_NAMED: usize = memory.data(4, 4);

const block = memory.data(112, 8);
const named = memory.data(64, 4);

/** Own 10 at 1/s; daily 20 by unit; search 5 that never refills, of routes alone. */
function policy(): Policy {
  const text = `{"version":1,"plans":[{"id":0,"name":"plain","maxTokens":7,"tokenRefillRate":1},
    {"id":3,"name":"own","maxTokens":10,"tokenRefillRate":1,"limits":[
      {"name":"search","maxTokens":5,"tokenRefillRate":0,"applies":"routes"},
      {"name":"daily","maxTokens":20,"refill":"10/7s"}]}]}`;
  const validated = validatePolicy(text).policy;
  if (validated === null) throw new Error("the policy was rejected");
  return validated;
}

function table(): LimitTable {
  const compiled = compileLimits(policy());
  if (compiled === null) throw new Error("there are no limits");
  return compiled;
}

function setLevels(own: i64, daily: i64, search: i64): void {
  memory.fill(block, 0, 112);
  store<i64>(block, own * PICO_PER_TOKEN);
  store<i64>(block, daily * PICO_PER_TOKEN, 8);
  store<i64>(block, search * PICO_PER_TOKEN, 16);
}

function tokensOf(limit: u32): i64 {
  return buckets.levelOf(block, limit) / PICO_PER_TOKEN;
}

/** What a route says of `search`, whose name comes after `daily`. */
function searchCosts(cost: u32): usize {
  store<u32>(named, 1);
  store<u32>(named, 1, 4);
  store<u32>(named, cost, 8);
  return named;
}

function answerWith(names: string[], tokens: i64[]): AcquireAnswer {
  const answer = new AcquireAnswer();
  answer.limitNames = names;
  answer.limitLevelsMicro = tokens.map<i64>((held) => held * 1000000);
  return answer;
}

describe("the tag of limits", () => {
  test("a tag tells plans, scopes and names apart, and none has no tag", () => {
    expect(tagOfLimits(0, 0, [])).toBe(0);
    // The bytes of the hash in their order: 70 54 33 07.
    expect(tagOfLimits(0, 0, ["daily", "search"])).toBe(0x07335470);
    const tags = [
      tagOfLimits(0, 0, ["daily", "search"]),
      tagOfLimits(1, 0, ["daily", "search"]),
      tagOfLimits(0, 1, ["daily", "search"]),
      tagOfLimits(0, 0, ["dailys", "earch"]),
      tagOfLimits(0, 0, ["daily"]),
      tagOfLimits(0, 0, []),
      tagOfLimits(0, 1, []),
      tagOfLimits(1, 1, []),
    ];
    for (let i = 0; i < tags.length; i++) expect(tags.indexOf(tags[i])).toBe(i);
  });

  test("only plans with further limits have a tag and entries", () => {
    const limits = table();
    expect(limits.furtherOf(0)).toBe(0);
    expect(limits.tagOf(0)).toBe(0);
    expect(limits.furtherOf(1)).toBe(2);
    expect(limits.tagOf(1)).toBe(tagOfLimits(3, 0, ["daily", "search"]));
    expect(limits.nameOf(limits.limitOf(1, 1))).toBe("daily");
    expect(limits.planOf(limits.limitOf(1, 2))).toBe(1);
    expect(String.UTF8.decodeUnsafe(limits.listOf(1), limits.listBytesOf(1))).toBe(
      `"own";q=10;w=10, "daily";q=20;w=14`,
    );
  });
});

describe("a plan of scope fleet", () => {
  test("a fleet plan has an annex also without further limits, and its buckets gain nothing here", () => {
    const text = `{"version":1,"plans":[{"id":0,"name":"edge","maxTokens":7,"tokenRefillRate":1},
      {"id":1,"name":"all","maxTokens":10,"tokenRefillRate":2,"scope":"fleet"},
      {"id":2,"name":"more","maxTokens":9,"refill":"9/7s","scope":"fleet","limits":[
        {"name":"daily","maxTokens":20,"refill":"10/7s"}]}]}`;
    const limits = compileLimits(validatePolicy(text).policy!)!;
    expect(limits.tagOf(0)).toBe(0);
    expect(limits.isFleet(0)).toBe(false);
    for (let plan = 1; plan < 3; plan++) {
      expect(limits.tagOf(plan)).not.toBe(0);
      expect(limits.isFleet(plan)).toBe(true);
      expect(limits.furtherOf(plan)).toBe(plan - 1);
      for (let limit = 0; limit < plan; limit++) {
        expect(limits.limitOf(plan, limit).ratePico).toBe(0);
        expect(limits.limitOf(plan, limit).rateUs).toBe(1);
      }
    }
    expect(limits.planOf(limits.limitOf(1, 0))).toBe(1);
    expect(String.UTF8.decodeUnsafe(limits.listOf(1), limits.listBytesOf(1))).toBe(`"all";q=10;w=5`);
    setLevels(0, 0, 0);
    buckets.refillAll(block, limits, 2, 1000000000);
    expect(tokensOf(0)).toBe(0);
    expect(tokensOf(1)).toBe(0);
  });
});

describe("what a request takes from several limits", () => {
  test("a route's cost goes to the limits that always apply, a figure by name to its own", () => {
    const limits = table();
    buckets.takeCosts(block, limits, 1, 3, NO_NAMED);
    expect(buckets.costOf(block, 0)).toBe(3);
    expect(buckets.costOf(block, 1)).toBe(3);
    expect(buckets.costOf(block, 2)).toBe(buckets.NOT_SPENT);
    buckets.takeCosts(block, limits, 1, 0, searchCosts(4));
    expect(buckets.costOf(block, 1)).toBe(0);
    expect(buckets.costOf(block, 2)).toBe(4);
  });

  test("the limit that denies is, among several, the one with the longest wait", () => {
    const limits = table();
    setLevels(0, 0, 5);
    buckets.takeCosts(block, limits, 1, 2, searchCosts(1));
    expect(buckets.denyingLimit(block, limits, 1)).toBe(0);
    setLevels(1, 0, 5);
    buckets.takeCosts(block, limits, 1, 2, searchCosts(1));
    expect(buckets.denyingLimit(block, limits, 1)).toBe(1);
    setLevels(0, 0, 0);
    buckets.takeCosts(block, limits, 1, 2, searchCosts(1));
    expect(buckets.denyingLimit(block, limits, 1)).toBe(2);
    setLevels(2, 2, 1);
    buckets.takeCosts(block, limits, 1, 2, searchCosts(1));
    expect(buckets.denyingLimit(block, limits, 1)).toBe(buckets.NO_LIMIT);
  });

  test("the tightest has room for the fewest more requests; of equal ones it is the first", () => {
    const limits = table();
    seedRandom(9);
    let wrong = 0;
    for (let i = 0; i < 20000; i++) {
      setLevels(<i64>randomBelow(11), <i64>randomBelow(21), <i64>randomBelow(6));
      const cost = <u32>randomBelow(4);
      const search = <u32>randomBelow(3);
      buckets.takeCosts(block, limits, 1, cost, searchCosts(search));
      let expected: u32 = 0;
      let fewest = i64.MAX_VALUE;
      for (let limit: u32 = 0; limit < 3; limit++) {
        const own = limit == 2 ? search : cost;
        if (own == 0 || tokensOf(limit) / own >= fewest) continue;
        expected = limit;
        fewest = tokensOf(limit) / own;
      }
      if (buckets.tightestLimit(block, limits, 1) != expected) wrong++;
    }
    expect(wrong).toBe(0);
  });

  test("all are refilled over one time and put back where they were taken from", () => {
    memory.fill(set, 0, SET_BYTES);
    const limits = table();
    const own = put(4, 1);
    const at = link(4, 9);
    record.setLevelPico(own, 2 * PICO_PER_TOKEN);
    buckets.takeLevels(block, own, at);
    buckets.takeCosts(block, limits, 1, 1, NO_NAMED);
    buckets.refillAll(block, limits, 1, 3500000);
    expect(tokensOf(0)).toBe(5);
    expect(tokensOf(1)).toBe(5);
    expect(tokensOf(2)).toBe(0);
    buckets.spendAll(block, limits, 1);
    buckets.putLevels(block, own, at);
    expect(record.levelPicoOf(own)).toBe(4500000000000);
    expect(load<i64>(annex.annexLevelsOf(at))).toBe(4 * PICO_PER_TOKEN);
    expect(load<i64>(annex.annexLevelsOf(at) + 8)).toBe(0);
    expect(annex.annexOf(set, own)).toBe(at);
  });
});

describe("what an answer makes of further levels", () => {
  beforeEach(() => {
    memory.fill(set, 0, SET_BYTES);
    put(4, 1);
  });

  test("a new annex has the answer's levels, no more than fits, and is full where it says nothing", () => {
    const limits = table();
    makeLevels(0, null, 0, limits, 1, answerWith(["daily", "gone"], [7, 1]), true);
    const at = link(4, 9);
    putMadeLevels(at);
    expect(load<i64>(annex.annexLevelsOf(at)) / PICO_PER_TOKEN).toBe(7);
    expect(load<i64>(annex.annexLevelsOf(at) + 8) / PICO_PER_TOKEN).toBe(5);
    expect(annex.annexTagOf(at)).toBe(limits.tagOf(1));
    expect(annex.annexOf(set, record.recordAt(set, 4))).toBe(at);
    makeLevels(0, null, 0, limits, 1, answerWith(["daily", "search"], [900, -900]), true);
    putMadeLevels(at);
    expect(load<i64>(annex.annexLevelsOf(at)) / PICO_PER_TOKEN).toBe(20);
    expect(load<i64>(annex.annexLevelsOf(at) + 8) / PICO_PER_TOKEN).toBe(-5);
  });

  test("levels that are sure stay, refilled; others take the lower", () => {
    const limits = table();
    const at = link(4, 9);
    makeLevels(0, null, 0, limits, 1, answerWith(["daily", "search"], [3, 4]), true);
    putMadeLevels(at);
    makeLevels(at, null, 700000, limits, 1, answerWith(["daily", "search"], [1, 1]), true);
    putMadeLevels(at);
    expect(load<i64>(annex.annexLevelsOf(at)) / PICO_PER_TOKEN).toBe(4);
    expect(load<i64>(annex.annexLevelsOf(at) + 8) / PICO_PER_TOKEN).toBe(4);
    makeLevels(at, null, 0, limits, 1, answerWith(["daily", "search"], [9, 1]), false);
    putMadeLevels(at);
    expect(load<i64>(annex.annexLevelsOf(at)) / PICO_PER_TOKEN).toBe(4);
    expect(load<i64>(annex.annexLevelsOf(at) + 8) / PICO_PER_TOKEN).toBe(1);
  });

  test("an annex of other limits hands over what has the same name, or the answer's lower level", () => {
    const limits = table();
    const at = link(4, 9);
    annex.setAnnexTag(at, 5);
    store<i64>(annex.annexLevelsOf(at), 4 * PICO_PER_TOKEN);
    store<i64>(annex.annexLevelsOf(at) + 8, 6 * PICO_PER_TOKEN);
    makeLevels(at, ["search", "zebra"], 0, limits, 1, answerWith(["daily", "search"], [9, 2]), true);
    putMadeLevels(at);
    expect(load<i64>(annex.annexLevelsOf(at)) / PICO_PER_TOKEN).toBe(9);
    expect(load<i64>(annex.annexLevelsOf(at) + 8) / PICO_PER_TOKEN).toBe(2);
    annex.setAnnexTag(at, 5);
    store<i64>(annex.annexLevelsOf(at), 4 * PICO_PER_TOKEN);
    makeLevels(at, ["search", "zebra"], 0, limits, 1, null, true);
    putMadeLevels(at);
    expect(load<i64>(annex.annexLevelsOf(at)) / PICO_PER_TOKEN).toBe(20);
    expect(load<i64>(annex.annexLevelsOf(at) + 8) / PICO_PER_TOKEN).toBe(4);
  });
});
