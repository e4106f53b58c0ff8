// A policy may be written in more than one way: whatever the order, the short forms and the units, it is the same policy.
import fc from "fast-check";
import { expect, test } from "vitest";
import { validatePolicyJson } from "../../src/domain/policy/validator.js";
import { headerName, policies } from "../support/documents.js";

/** Each list of limits, and each object of a route, the other way round. */
function reversed(document: unknown): unknown {
  if (Array.isArray(document)) return document.map(reversed);
  if (typeof document !== "object" || document === null) return document;
  const members = Object.entries(document).map(([name, value]: [string, unknown]): [string, unknown] => [
    name,
    name === "limits" && Array.isArray(value) ? value.map(reversed).reverse() : reversed(value),
  ]);
  return Object.fromEntries(members.reverse());
}

test("a policy is the same with its limits and its members in another order", () => {
  fc.assert(
    fc.property(policies, (document) => {
      expect(validatePolicyJson(JSON.stringify(reversed(document)))).toEqual(
        validatePolicyJson(JSON.stringify(document)),
      );
    }),
    { numRuns: 200 },
  );
});

/** Of each whole unit what there is. */
function inWords(ms: number): string {
  let left = ms;
  const parts = Object.entries({ d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 }).map(([unit, unitMs]) => {
    const count = Math.floor(left / unitMs);
    left -= count * unitMs;
    return count === 0 ? "" : `${count}${unit}`;
  });
  return parts.join("");
}

test("a duration in words is the same policy as that duration in ms", () => {
  const durations = fc.integer({ min: 2_400_000, max: 315_360_000_000 });
  fc.assert(
    fc.property(policies, durations, fc.integer({ min: 1, max: 4000 }), (document, lifetime, acquireTimeout) => {
      const plans = document.plans.map((plan) => ({ ...plan, lifetime }));
      const said = { ...document, plans, controlPlane: { acquireTimeout } };
      const worded = {
        ...{ ...document, controlPlane: { acquireTimeout: inWords(acquireTimeout) } },
        plans: plans.map((plan) => ({ ...plan, maxAge: inWords(plan.maxAge), lifetime: inWords(lifetime) })),
      };
      const result = validatePolicyJson(JSON.stringify(worded));
      expect("violations" in result ? result.violations : []).toEqual([]);
      expect(result).toEqual(validatePolicyJson(JSON.stringify(said)));
    }),
    { numRuns: 200 },
  );
});

test("a header in its short form is the same policy as that header in token.from", () => {
  fc.assert(
    fc.property(policies, headerName, (document, header) => {
      const rest = { ...document, token: undefined };
      const short = validatePolicyJson(JSON.stringify({ ...rest, header }));
      expect("violations" in short ? short.violations : []).toEqual([]);
      expect(short).toEqual(validatePolicyJson(JSON.stringify({ ...rest, token: { from: [{ header }] } })));
    }),
    { numRuns: 100 },
  );
});
