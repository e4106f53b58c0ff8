// Limits of an accepted policy as the filter has them: reduced rates, one order, numbered names, settles.
import { validatePolicy } from "../domain/policy/validator";
import { APPLIES_ALWAYS, APPLIES_ROUTES } from "../domain/policy/limit-model";
import { ON_UNREACHABLE_DENY, ON_UNREACHABLE_TRUST, Plan, Policy, RESPONSE_LIMITS_ALL } from "../domain/policy/model";
import { ON_MISSING_KEEP, ON_MISSING_REFUND, SETTLE_JSON, SETTLE_METADATA } from "../domain/policy/settle-model";

function policyOf(plans: string, rest: string = ""): Policy {
  return validatePolicy(`{"version":1,"plans":[${plans}]${rest}}`).policy!;
}

function planWith(refill: string): Plan {
  return policyOf(`{"id":0,"name":"a","maxTokens":5,"refill":"${refill}"}`).plans[0];
}

function expectRate(refill: string, ratePico: u64, rateUs: u32): void {
  const plan = planWith(refill);
  expect(plan.ratePico).toBe(ratePico, refill);
  expect(plan.rateUs).toBe(rateUs, refill);
}

const PLANS: string =
  '{"id":7,"name":"free","maxTokens":5,"tokenRefillRate":0.5,"onUnreachable":"deny","limits":[' +
  '{"name":"search","maxTokens":20,"tokenRefillRate":0.25,"applies":"routes"},' +
  '{"name":"daily","maxTokens":1000,"refill":"1/d"}]},' +
  '{"id":8,"name":"daily","maxTokens":9,"tokenRefillRate":1,"limits":[{"name":"llm","maxTokens":4,"refill":"4/s"},' +
  '{"name":"search","maxTokens":30,"refill":"1/2s"}]}';

describe("a plan's rate", () => {
  test("a refill is a reduced fraction of picotokens in microseconds", () => {
    expectRate("10/s", 10000000, 1);
    expectRate("600/m", 10000000, 1);
    expectRate("1/d", 625, 54);
    expectRate("10000/1d", 3125000, 27);
    expectRate("10/5m", 100000, 3);
    expectRate("1000000/s", 1000000000000, 1);
    expectRate("9000000/9s", 1000000000000, 1);
    expectRate("1/7s", 1000000, 7);
  });

  test("the divisor of a rate is at most 53,946, which is 999 days", () => {
    expectRate("1/999d", 625, 53946);
    expectRate("1/1000d", 5, 432);
    expectRate("8999999/999d", 5624999375, 53946);
    let largest: u32 = 0;
    const units: string[] = ["s", "m", "h", "d"];
    for (let i = 0; i < units.length; i++) {
      for (let count = 991; count <= 1000; count++) {
        largest = max(largest, planWith(`1/${count}${units[i]}`).rateUs);
      }
    }
    expect(largest).toBe(53946);
  });

  test("a refill keeps its text in its normal form", () => {
    expect(planWith("10/s").refill).toBe("10/1s");
    expect(planWith("600/90m").refill).toBe("600/90m");
  });
});

describe("a plan's limits", () => {
  test("limits stand in the order of their names, each with what it holds", () => {
    const limits = policyOf(PLANS).plans[0].limits;
    expect(limits.length).toBe(2);
    expect(limits[0].name).toBe("daily");
    expect(limits[0].maxTokens).toBe(1000);
    expect(limits[0].ratePico).toBe(625);
    expect(limits[0].applies).toBe(APPLIES_ALWAYS);
    expect(limits[1].name).toBe("search");
    expect(limits[1].ratePico).toBe(250000);
    expect(limits[1].rateUs).toBe(1);
    expect(limits[1].applies).toBe(APPLIES_ROUTES);
  });

  test("a limit's name has one number in all plans", () => {
    const policy = policyOf(PLANS);
    expect(policy.limitNames.join()).toBe("daily,llm,search");
    expect(policy.plans[0].limits[0].nameId).toBe(0);
    expect(policy.plans[0].limits[1].nameId).toBe(2);
    expect(policy.plans[1].limits[0].nameId).toBe(1);
    expect(policy.plans[1].limits[1].nameId).toBe(2);
    expect(policyOf('{"id":0,"name":"a","maxTokens":5,"tokenRefillRate":1}').limitNames.length).toBe(0);
  });

  test("a plan's onUnreachable is its own, or the document's", () => {
    const policy = policyOf(PLANS, ',"response":{"limits":"all"}');
    expect(policy.onUnreachableOfPlan(0)).toBe(ON_UNREACHABLE_DENY);
    expect(policy.onUnreachableOfPlan(1)).toBe(ON_UNREACHABLE_TRUST);
    expect(policy.onUnreachableOfPlan(-1)).toBe(ON_UNREACHABLE_TRUST);
    expect(policyOf(PLANS, ',"onUnreachable":"deny"').onUnreachableOfPlan(1)).toBe(ON_UNREACHABLE_DENY);
    expect(policy.responseLimits).toBe(RESPONSE_LIMITS_ALL);
  });
});

describe("a route's limits", () => {
  test("a route has its figures by the limits' numbers, in the order of their names", () => {
    const routes =
      ',"routes":[{"match":{"path":"/a"},"cost":2,"limits":{"search":null,"daily":3}},{"match":{"path":"/b"}}]';
    const policy = policyOf(PLANS, routes);
    const limits = policy.routes[0].limits;
    expect(limits.length).toBe(2);
    expect(limits[0].name).toBe("daily");
    expect(limits[0].nameId).toBe(0);
    expect(limits[0].cost).toBe(3);
    expect(limits[0].takesRouteCost).toBe(false);
    expect(limits[1].nameId).toBe(2);
    expect(limits[1].takesRouteCost).toBe(true);
    expect(policy.routes[1].limits.length).toBe(0);
    expect(policy.routes[1].settle === null).toBe(true);
  });

  test("a route's settle has its place, its limit and its factor", () => {
    const routes =
      ',"routes":[{"match":{"path":"/a"},"settle":{"limit":"llm","json":"/a~1b","times":0.25,"onMissing":"refund"}},' +
      '{"match":{"path":"/b"},"settle":{"metadata":["n","k"]}}]';
    const policy = policyOf(PLANS, routes);
    const first = policy.routes[0].settle!;
    expect(first.limit).toBe("llm");
    expect(first.nameId).toBe(1);
    expect(first.source).toBe(SETTLE_JSON);
    expect(first.at).toBe("/a~1b");
    expect(first.timesMicro).toBe(250000);
    expect(first.onMissing).toBe(ON_MISSING_REFUND);
    const second = policy.routes[1].settle!;
    expect(second.limit).toBe("");
    expect(second.source).toBe(SETTLE_METADATA);
    expect(second.at).toBe("n");
    expect(second.key).toBe("k");
    expect(second.timesMicro).toBe(1000000);
    expect(second.onMissing).toBe(ON_MISSING_KEEP);
  });
});

/** 1,000 plans of 7 limits whose names are as long as may be. */
function fullPlans(limitsOfPlan: i32): string {
  const plans: string[] = [];
  for (let i = 0; i < 1000; i++) {
    const limits: string[] = [];
    for (let j = 0; j < limitsOfPlan; j++) {
      const name = `${i}-${j}-`.padEnd(32, "x");
      limits.push(`{"name":"${name}","maxTokens":9,"refill":"1/s"}`);
    }
    plans.push(`{"id":${i},"name":"${i}","maxTokens":9,"refill":"1/s","limits":[${limits.join(",")}]}`);
  }
  return plans.join(",");
}

describe("a policy with many limits", () => {
  test("1,000 plans have 4,000 limits of different names", () => {
    const policy = policyOf(fullPlans(4));
    expect(policy.limitNames.length).toBe(4000);
    expect(policy.limitNames[policy.plans[999].limits[3].nameId]).toBe(policy.plans[999].limits[3].name);
  });

  test("a policy has at most 4,096 limits in all its routes", () => {
    const routes: string[] = [];
    for (let i = 0; i < 820; i++) {
      routes.push(`{"match":{"path":"/${i}"},"limits":{"0-0-":1,"1-0-":1,"2-0-":null,"3-0-":0,"4-0-":1}}`);
    }
    const plans: string[] = [];
    for (let i = 0; i < 5; i++) {
      const limits = `[{"name":"${i}-0-","maxTokens":9,"refill":"1/s"}]`;
      plans.push(`{"id":${i},"name":"${i}","maxTokens":9,"refill":"1/s","limits":${limits}}`);
    }
    const violations = validatePolicy(
      `{"version":1,"plans":[${plans.join(",")}],"routes":[${routes.join(",")}]}`,
    ).violations;
    expect(violations.length).toBe(1);
    expect(violations[0].path).toBe("routes[819].limits");
    expect(violations[0].message).toBe("expected at most 4096 limits in all routes, got 5");
  });

  test("a policy whose limits are too long with their defaults is rejected", () => {
    const violations = validatePolicy(`{"version":1,"plans":[${fullPlans(7)}]}`).violations;
    expect(violations.length).toBe(1);
    expect(violations[0].path).toBe("plans");
    expect(violations[0].message.startsWith("expected at most 1048576 bytes of policy with all defaults, got 1")).toBe(
      true,
    );
  });
});
