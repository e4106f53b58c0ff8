// Random policies, written as YAML, validated, printed and offered to the filter on its watch: it decides on each request as
// a plain reading of the policy does, and takes from each limit what that says.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { Enforcement, Policy } from "../../../control-plane/src/domain/policy/policy.js";
import { readPolicyDocument } from "../../../control-plane/src/domain/policy/read-policy.js";
import { validatePolicyJson } from "../../../control-plane/src/domain/policy/validator.js";
import { plan } from "../harness/scenes/documents.js";
import { leftOf, limit } from "../harness/scenes/limits.js";
import { edgeFollowing } from "../harness/scenes/policy-offer.js";
import { isShadowed, plainCosts, plainEnforcement, plainRouteOf } from "../harness/scenes/plain-routes.js";
import { outcomes, sendRouted, type RoutedRequest } from "../harness/scenes/routed-requests.js";

const SEGMENTS = ["a", "b", "A", "", ".", "..", "%2F", "..;x", "..%20", "%25", "%3b", "%41", "c\\d"];
const HOSTS = ["a.test", "*.a.test", "b.test"];

const enforcements = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("enforce", "shadow", "observe", "off") },
  fc.record({ shadow: fc.nat(100) }),
);
const pathOf = (segments: readonly string[]): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...segments), { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join("/")}`);
const templates = fc
  .tuple(fc.array(fc.constantFrom("a", "b", "{}"), { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(
    ([parts, rest]) =>
      `/${parts.map((part, at) => (part === "{}" ? `{p${at}}` : part)).join("/")}${rest ? "/{r*}" : ""}`,
  );
const matches = fc
  .tuple(
    fc.oneof(
      fc.constant({}),
      pathOf(SEGMENTS).map((path) => ({ path })),
      pathOf(SEGMENTS).map((prefix) => ({ prefix })),
      templates.map((template) => ({ template })),
    ),
    fc.record(
      {
        methods: fc.subarray(["GET", "POST"], { minLength: 1 }),
        hosts: fc.subarray(HOSTS, { minLength: 1 }),
        headers: fc.constantFrom([{ name: "x-a" }], [{ name: "x-a", value: "1" }]),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([path, rest]) => ({ ...path, ...rest }))
  .filter((match) => Object.keys(match).length > 0);
/** Every random policy has a plan with each of them. */
const LIMITS = [
  limit("always", 10),
  limit("routed", 10, { applies: "routes" }),
  limit("seldom", 10, { applies: "routes" }),
] as const;
const ofRoute = fc.record(
  { always: fc.option(fc.nat(10)), routed: fc.option(fc.nat(10)), seldom: fc.option(fc.nat(10)) },
  { requiredKeys: [] },
);
const routes = fc.array(
  fc.oneof(
    matches.map((match) => ({ match, exempt: true })),
    fc.record(
      { match: matches, cost: fc.nat(10), enforcement: fc.option(enforcements), limits: ofRoute },
      { requiredKeys: ["match"] },
    ),
  ),
  { maxLength: 8 },
);
const requests = fc.array(
  fc.record({
    path: fc.option(fc.tuple(pathOf(SEGMENTS), fc.constantFrom("", "?a=//")).map((parts) => parts.join(""))),
    host: fc.constantFrom("a.test", "B.test:80", "x.a.test.", "c.test", null),
    method: fc.constantFrom("GET", "POST", "PUT"),
    headers: fc.constantFrom({}, { "x-a": "1" }, { "x-a": "2" }),
    who: fc.constantFrom("plan 0", "plan 4", "nobody", "anybody"),
    tokens: fc.nat(10),
    levels: fc.record({ always: fc.nat(10), routed: fc.nat(10), seldom: fc.nat(10) }),
  }),
  { minLength: 10, maxLength: 10 },
);

/** The policy without the routes that could not match, which the validator names. */
function reachable(document: { readonly routes: readonly unknown[] }): Policy {
  const result = readPolicyDocument(stringify(document, { aliasDuplicateObjects: false }));
  if (!("violations" in result)) return result.policy;
  const bad = new Set(result.violations.map(({ path }) => Number(/^routes\[(\d+)\]/.exec(path)?.[1])));
  for (const { message } of result.violations) expect(message).toContain("can never match");
  return reachable({ ...document, routes: document.routes.filter((_, index) => !bad.has(index)) });
}

interface Decision {
  readonly status: number | undefined;
  readonly counted: Record<string, number>;
  /** What is left of each limit of its plan, where its session has a record: the plan's own bucket first. */
  readonly left: readonly number[] | undefined;
}

type Asked = RoutedRequest & {
  readonly who: string;
  readonly tokens: number;
  readonly levels: Readonly<Record<string, number>>;
};

function plainDecision(policy: Policy, request: Asked, sessionId: string): Decision {
  const route = plainRouteOf(policy, request);
  const passed = (outcome?: string): Decision => ({
    status: 200,
    counted: outcome === undefined ? {} : { [outcome]: 1 },
    left: undefined,
  });
  // Then nothing is read at all.
  if (isOffForAll(policy)) return passed();
  if (route?.exempt === true) return passed("exempt");
  if (!request.who.startsWith("plan")) {
    const outcome = request.who === "nobody" ? "missing" : "invalid";
    const enforcement = plainEnforcement(policy, route, undefined);
    if (enforcement === "off") return passed();
    if (enforcement === "observe") return passed(`shadow_${outcome}`);
    return { ...passed(outcome), status: 401 };
  }
  const costs = plainCosts(policy, route, Number(request.who.slice(5)));
  const held = costs.map(({ name }) => request.levels[name] ?? request.tokens);
  const enforcement = plainEnforcement(policy, route, Number(request.who.slice(5)));
  if (enforcement === "off") return { ...passed(), left: held };
  const left = costs.map(({ cost }, at) => (held[at] ?? 0) - cost);
  if (costs.every(({ cost }, at) => cost === 0 || (left[at] ?? 0) >= 0)) return { ...passed("allowed"), left };
  return {
    ...(passes(enforcement, sessionId) ? passed("shadow_limited") : { ...passed("limited"), status: 429 }),
    left: held,
  };
}

function isOffForAll({ enforcement, plans, routes }: Policy): boolean {
  return enforcement === "off" && [...plans, ...routes].every((one) => (one.enforcement ?? "off") === "off");
}

function passes(enforcement: Enforcement, sessionId: string): boolean {
  if (typeof enforcement === "object") return isShadowed(sessionId, enforcement.shadow);
  return enforcement === "shadow" || enforcement === "observe";
}

/** What was counted since. */
function more(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  const grown = Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
  return Object.fromEntries(grown.filter(([, count]) => count > 0));
}

describe("a random policy of routes", () => {
  it("the filter decides on every request as a plain reading of the policy does", () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(
        fc.record({ routes, enforcement: enforcements, ofPlan: fc.option(enforcements), requests }),
        ({ ofPlan, requests: asked, ...document }) => {
          const plans = [
            plan({ limits: LIMITS }),
            plan({ id: 4, name: "other", enforcement: ofPlan, limits: [LIMITS[1]] }),
          ];
          const policy = reachable({ version: 1, plans, ...document } as { routes: readonly unknown[] });
          const again = validatePolicyJson(JSON.stringify(policy));
          expect("policy" in again && again.policy).toEqual(policy);
          const edge = edgeFollowing({ ...policy }, 1);
          for (const request of asked) {
            const planId = request.who === "plan 4" ? 4 : 0;
            const session = edge.newSession(planId);
            const sent = request.who === "nobody" ? undefined : "invented";
            const before = outcomes(edge);
            const stream = sendRouted(edge, { ...request, session: request.who.startsWith("plan") ? session : sent });
            const { tokens, levels } = request;
            if (edge.pendingAcquires.length > 0) edge.answerLive({ plan: planId, tokens, levels });
            const wanted = plainDecision(policy, request, session.id);
            const isKnown = edge.table.record(session.id) !== undefined;
            const left = isKnown ? leftOf(edge, session, planId === 4 ? 1 : LIMITS.length) : undefined;
            const got: Decision = { status: stream.status, counted: more(before, outcomes(edge)), left };
            // A session that was not looked up has no record.
            const expected = isKnown ? wanted : { ...wanted, left: undefined };
            expect(got).toEqual(expected);
            const outcome = Object.keys(wanted.counted)[0] ?? "off";
            seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
          }
        },
      ),
      { numRuns: 60, seed: 20261129 },
    );
    const all = ["allowed", "exempt", "invalid", "limited", "missing", "off", "shadow_invalid", "shadow_limited"];
    expect([...seen.keys()].sort()).toEqual([...all, "shadow_missing"]);
  }, 120_000);
});
