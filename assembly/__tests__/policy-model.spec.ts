// Accepted policies and edge settings: units, look-up of plans, defaults and size limits.
import { MAX_POLICY_BYTES, MAX_SETTINGS_BYTES, SCOPE_EDGE, SCOPE_FLEET } from "../contract";
import { validatePolicy } from "../domain/policy/validator";
import { ENFORCEMENT_OFF } from "../domain/policy/enforcement";
import {
  ON_CONTENTION_DENY,
  ON_MISS_TRUST,
  ON_TABLE_FULL_ALLOW,
  ON_UNREACHABLE_DENY,
  OPEN_STREAMS_KEEP,
  Policy,
  RESPONSE_BODY_PROBLEM,
  RESPONSE_HEADERS_BOTH,
  UPSTREAM_HEADERS_KEEP,
} from "../domain/policy/model";
import {
  ANNOTATE_LIMIT,
  ANNOTATE_PLAN,
  SOURCE_BEARER,
  SOURCE_COOKIE,
  SOURCE_HEADER,
} from "../domain/policy/token-model";
import { validateSettings } from "../domain/policy/settings";

function planText(id: u32): string {
  return `{"id":${id},"name":"plan-${id}","maxTokens":5,"tokenRefillRate":0.25}`;
}

function policyOfPlans(plans: string): Policy {
  return validatePolicy(`{"version":1,"plans":[${plans}]}`).policy!;
}

describe("an accepted policy", () => {
  test("an accepted policy has its fields in the units of the filter", () => {
    const policy = validatePolicy(
      '{"version":1,"header":"X-Token","enforcement":"off","onMiss":"trust",' +
        '"onUnreachable":"deny","onTableFull":"allow",' +
        '"controlPlane":{"acquireTimeout":100,"reportInterval":1000},"sessions":{"cleanupInterval":500,"openStreams":"keep"},' +
        '"response":{"headers":"both","body":"problem","upstreamHeaders":"keep"},' +
        '"plans":[{"id":3,"name":"gold","maxTokens":9000000,"tokenRefillRate":7.000001,"maxAge":4000,"lifetime":5000}]}',
    ).policy!;
    expect(policy.tokenSources.length).toBe(1);
    expect(policy.tokenSources[0].name).toBe("x-token");
    expect(policy.enforcement).toBe(ENFORCEMENT_OFF);
    expect(policy.onMiss).toBe(ON_MISS_TRUST);
    expect(policy.onUnreachable).toBe(ON_UNREACHABLE_DENY);
    expect(policy.onContention).toBe(ON_CONTENTION_DENY);
    expect(policy.onTableFull).toBe(ON_TABLE_FULL_ALLOW);
    expect(policy.acquireTimeoutMs).toBe(100);
    expect(policy.reportIntervalMs).toBe(1000);
    expect(policy.cleanupIntervalMs).toBe(500);
    expect(policy.openStreams).toBe(OPEN_STREAMS_KEEP);
    expect(policy.responseHeaders).toBe(RESPONSE_HEADERS_BOTH);
    expect(policy.responseBody).toBe(RESPONSE_BODY_PROBLEM);
    expect(policy.upstreamHeaders).toBe(UPSTREAM_HEADERS_KEEP);
    const plan = policy.plans[0];
    expect(plan.id).toBe(3);
    expect(plan.name).toBe("gold");
    expect(plan.maxTokens).toBe(9000000);
    expect(plan.ratePico).toBe(7000001);
    expect(plan.rateUs).toBe(1);
    expect(plan.refill).toBe("");
    expect(plan.maxAgeMs).toBe(4000);
    expect(plan.lifetimeMs).toBe(5000);
    expect(plan.tokenBudget).toBe(0);
    expect(plan.scope).toBe(SCOPE_EDGE);
  });

  test("a fleet plan denies what cannot be asked about under a document that trusts", () => {
    const plan = '{"id":0,"name":"all","maxTokens":9,"tokenRefillRate":1,"scope":"fleet"}';
    const policy = validatePolicy(`{"version":1,"plans":[${plan}],"onUnreachable":"trust"}`).policy!;
    expect(policy.plans[0].scope).toBe(SCOPE_FLEET);
    expect(policy.onUnreachableOfPlan(0)).toBe(ON_UNREACHABLE_DENY);
  });

  test("an accepted policy has the places of its token in their order", () => {
    const policy = validatePolicy(
      `{"version":1,"plans":[${planText(0)}],"annotate":["plan","limit"],"token":{"forward":false,"identity":true,` +
        '"from":[{"cookie":"Sid"},{"authorization":"Bearer"},{"header":"X-Token"}]}}',
    ).policy!;
    expect(policy.tokenSources.length).toBe(3);
    expect(policy.tokenSources[0].kind).toBe(SOURCE_COOKIE);
    expect(policy.tokenSources[0].name).toBe("Sid");
    expect(policy.tokenSources[1].kind).toBe(SOURCE_BEARER);
    expect(policy.tokenSources[2].kind).toBe(SOURCE_HEADER);
    expect(policy.tokenSources[2].name).toBe("x-token");
    expect(policy.forwardToken).toBe(false);
    expect(policy.identity).toBe(true);
    expect(policy.annotate).toBe(ANNOTATE_PLAN | ANNOTATE_LIMIT);
    expect(policyOfPlans(planText(0)).tokenSources[0].name).toBe("x-session-id");
  });

  test("an accepted policy finds a plan by its id at any position", () => {
    const policy = policyOfPlans([planText(65535), planText(0), planText(700), planText(3)].join(","));
    expect(policy.planIndexById(65535)).toBe(0);
    expect(policy.planIndexById(0)).toBe(1);
    expect(policy.planIndexById(700)).toBe(2);
    expect(policy.planIndexById(3)).toBe(3);
    expect(policy.planIndexById(1)).toBe(-1);
    expect(policy.planIndexById(699)).toBe(-1);
    expect(policy.planIndexById(65534)).toBe(-1);
    expect(policy.planIndexById(u32.MAX_VALUE)).toBe(-1);
  });

  test("a policy of 1,000 plans is accepted, and each plan is found", () => {
    const plans: string[] = [];
    for (let i: u32 = 0; i < 1000; i++) plans.push(planText(65535 - i * 65));
    const policy = policyOfPlans(plans.join(","));
    for (let i: u32 = 0; i < 1000; i++) {
      expect(policy.planIndexById(65535 - i * 65)).toBe(i);
      expect(policy.planIndexById(65535 - i * 65 - 1)).toBe(-1);
    }
  });

  test("a policy may be as long as the limit and no longer, counted in bytes", () => {
    const least = `{"version":1,"plans":[${planText(0)}]}`;
    const room = <i32>MAX_POLICY_BYTES - least.length;
    expect(validatePolicy(least + " ".repeat(room)).violations.length).toBe(0);
    const tooLong = validatePolicy(least + " ".repeat(room + 1));
    expect(tooLong.policy === null).toBe(true);
    expect(tooLong.violations[0].message).toBe("expected at most 1048576 bytes of JSON, got 1048577");
    const wide = validatePolicy('"' + "é".repeat(<i32>MAX_POLICY_BYTES / 2) + '"');
    expect(wide.violations[0].message).toBe("expected at most 1048576 bytes of JSON, got 1048578");
  });
});

function routesText(hosts: i32, hostChars: i32, headers: i32): string {
  const routes: string[] = [];
  for (let i = 0; i < 1000; i++) {
    const names: string[] = [];
    for (let j = 0; j < hosts; j++) names.push(`"h${j}.${"a".repeat(hostChars)}"`);
    const conditions: string[] = [];
    for (let j = 0; j < headers; j++) conditions.push(`{"name":"x-${j}"}`);
    const ofHosts = hosts == 0 ? "" : `,"hosts":[${names.join(",")}]`;
    const ofHeaders = headers == 0 ? "" : `,"headers":[${conditions.join(",")}]`;
    routes.push(`{"match":{"prefix":"/r${i}"${ofHosts}${ofHeaders}}}`);
  }
  return `{"version":1,"plans":[${planText(0)}],"routes":[${routes.join(",")}]}`;
}

describe("a policy with many routes", () => {
  test("a policy of 1,000 routes with 4,000 hosts is accepted", () => {
    expect(validatePolicy(routesText(4, 10, 8)).policy!.routes.length).toBe(1000);
  });

  test("a policy has at most 4,096 hosts in all its routes", () => {
    const violations = validatePolicy(routesText(5, 10, 0)).violations;
    expect(violations[0].path).toBe("routes[819].match.hosts");
    expect(violations[0].message).toBe("expected at most 4096 hosts in all routes, got an array of 5 items");
  });

  test("a policy that is too long once its defaults are filled in is rejected", () => {
    const text = routesText(4, 200, 8);
    expect(text.length).toBeLessThan(MAX_POLICY_BYTES);
    const violations = validatePolicy(text).violations;
    expect(violations.length).toBe(1);
    expect(violations[0].path).toBe("routes");
    expect(violations[0].message.startsWith("expected at most 1048576 bytes of policy with all defaults, got 1")).toBe(
      true,
    );
  });
});

describe("accepted edge settings", () => {
  test("edge settings have their fields in the filter's units, with the policy inside", () => {
    const settings = validateSettings(
      '{"version":1,"controlPlane":{"cluster":"c"},"table":{"name":"t","capacity":2048},"follow":false,"policy":' +
        `{"version":1,"header":"X-Token","plans":[${planText(9)}]}}`,
    ).settings!;
    expect(settings.cluster).toBe("c");
    expect(settings.tableName).toBe("t");
    expect(settings.tableCapacity).toBe(2048);
    expect(settings.follow).toBe(false);
    expect(settings.policy!.tokenSources[0].name).toBe("x-token");
    expect(settings.policy!.planIndexById(9)).toBe(0);
  });

  test("edge settings follow the control plane and carry no policy by default", () => {
    const settings = validateSettings('{"version":1}').settings!;
    expect(settings.follow).toBe(true);
    expect(settings.policy === null).toBe(true);
  });

  test("edge settings may be as long as the limit, so that the largest policy fits", () => {
    const least = `{"version":1,"policy":{"version":1,"plans":[${planText(0)}]}}`;
    const room = <i32>MAX_SETTINGS_BYTES - least.length;
    expect(validateSettings(least + " ".repeat(room)).violations.length).toBe(0);
    const tooLong = validateSettings(least + " ".repeat(room + 1));
    expect(tooLong.settings === null).toBe(true);
    expect(tooLong.violations[0].message).toBe("expected at most 1114112 bytes of JSON, got 1114113");
    expect(MAX_SETTINGS_BYTES).toBeGreaterThan(MAX_POLICY_BYTES);
  });
});
