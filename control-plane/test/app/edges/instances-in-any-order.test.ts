// Instances of two edges that come, watch, report and go, in any order, against a plain model of them.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { EdgeRegistry } from "../../../src/app/edges/status/edge-registry.js";
import { GONE_AFTER_MS } from "../../../src/app/edges/status/workers.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { PoliciesInForce } from "../../support/policies-in-force.js";
import { REPORTING, STARTER } from "../../support/sessions.js";

const OF = ["gw-1", "gw-2"].flatMap((edge) => ["a", "b"].map((one) => ({ edge, instance: one.repeat(16) })));
const GRACE_MS = 20_000;

function registry() {
  const clock = new FixedClock();
  const policies = new PoliciesInForce(clock, { ...REPORTING, plans: [STARTER] });
  return { clock, instances: new EdgeRegistry({ clock, policies }) };
}

type Step =
  | { readonly does: "acquires" | "reports" | "watches" | "hangs up"; readonly who: number }
  | { readonly does: "waits"; readonly ms: number }
  | { readonly does: "forgets" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ does: fc.constantFrom("acquires", "reports", "watches", "hangs up"), who: fc.nat(OF.length - 1) }),
  fc.record({ does: fc.constant("waits"), ms: fc.constantFrom(1000, GONE_AFTER_MS - 1000, GONE_AFTER_MS) }),
  fc.record({ does: fc.constant("forgets") }),
);

describe("instances of two edges in any order", () => {
  it("the instances that are listed are those that watch, or had contact within 5 minutes", () => {
    const property = fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { clock, instances } = registry();
      const contactAtMs = new Map<number, number>();
      const held = new Map<number, (() => void)[]>();
      for (const one of steps) {
        if (one.does === "waits") clock.advance(one.ms);
        else if (one.does === "forgets") instances.forgetGone();
        else act(instances, one.does, one.who, held, () => contactAtMs.set(one.who, clock.monotonicMs()), clock);
        const watches = (who: number): boolean => (held.get(who)?.length ?? 0) > 0;
        const isHere = (who: number): boolean =>
          watches(who) || clock.monotonicMs() - (contactAtMs.get(who) ?? -Infinity) < GONE_AFTER_MS;
        const expected = OF.filter((_, who) => isHere(who)).map((of) => ({ ...of, watching: watches(OF.indexOf(of)) }));
        const shownOf = (edge: string) =>
          instances
            .knownOf(edge, GRACE_MS)
            .map(({ edge: name, instance, watching }) => ({ edge: name, instance, watching }));
        const all = instances.known(GRACE_MS).map(({ edge, instance, watching }) => ({ edge, instance, watching }));
        expect(all).toHaveLength(expected.length);
        expect(all).toEqual(expect.arrayContaining(expected));
        expect([...shownOf("gw-1"), ...shownOf("gw-2")]).toEqual(expect.arrayContaining(expected));
        expect(shownOf("gw-1").length + shownOf("gw-2").length).toBe(expected.length);
        for (const { edge } of expected) expect(instances.edgesAfter("", 10)).toContain(edge);
      }
    });
    fc.assert(property, { numRuns: 300 });
  });
});

function act(
  instances: EdgeRegistry,
  does: "acquires" | "reports" | "watches" | "hangs up",
  who: number,
  held: Map<number, (() => void)[]>,
  contact: () => void,
  clock: FixedClock,
): void {
  const of = OF[who];
  if (of === undefined) return;
  if (does === "hangs up") {
    const release = held.get(who)?.pop();
    if (release === undefined) return;
    release();
  } else if (does === "watches") held.set(who, [...(held.get(who) ?? []), instances.watching(of)]);
  else if (does === "acquires") instances.acquired(of);
  else instances.reported(of, { worker: "w", more: false, arrivedAtMs: clock.monotonicMs() });
  contact();
}

describe("a worker that said that there is more", () => {
  it("a worker that said more and then no more is behind for the grace, and current after it", () => {
    const { clock, instances } = registry();
    const [of = { edge: "", instance: "" }] = OF;
    const reports = (more: boolean): void => {
      instances.reported(of, { worker: "w", more, arrivedAtMs: clock.monotonicMs() });
    };
    reports(true);
    expect(instances.status(of, GRACE_MS)).toBe("behind");
    clock.advance(5000);
    reports(false);
    expect(instances.status(of, GRACE_MS)).toBe("behind");
    clock.advance(GRACE_MS - 5000);
    reports(false);
    expect(instances.status(of, GRACE_MS)).toBe("behind");
    clock.advance(1);
    expect(instances.status(of, GRACE_MS)).toBe("current");
    reports(true);
    expect(instances.status(of, GRACE_MS)).toBe("behind");
  });
});
