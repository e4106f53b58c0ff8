// Calls of instances that go to either of two control planes, in any order, beside one control plane that hears all.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { EdgeRegistry } from "../../../../src/app/edges/status/edge-registry.js";
import type { KnownInstance } from "../../../../src/app/edges/status/registry-entry.js";
import { MINUTE_MS, pass, SECOND_MS, two } from "../../../support/processes.js";
import { request } from "../../../support/watching.js";

const OF = [
  { edge: "gw-1", instance: "a".repeat(16) },
  { edge: "gw-1", instance: "b".repeat(16) },
];
const GRACE_MS = 20_000;

interface Call {
  readonly does: "watches" | "hangs up" | "reports" | "acquires";
  readonly who: number;
  readonly at: number;
  readonly worker: number;
  readonly more: boolean;
  readonly generation: number;
  /** Before the next call. */
  readonly thenMs: number;
}

const call: fc.Arbitrary<Call> = fc.record({
  does: fc.constantFrom("watches", "watches", "hangs up", "reports", "reports", "reports", "acquires"),
  who: fc.nat(OF.length - 1),
  at: fc.nat(1),
  worker: fc.nat(1),
  more: fc.boolean(),
  generation: fc.integer({ min: 1, max: 3 }),
  thenMs: fc.constantFrom(1, 500, 4 * SECOND_MS, 8 * SECOND_MS, MINUTE_MS + SECOND_MS),
});

/**
 * What is the same at both and at the one that heard all, once all is stored and read. Since when a worker runs what it
 * runs is not, where it reports to the other before that has read of its report before.
 */
const told = ({ edge, instance, watching, lastWatch, workers, isAwaited, run }: KnownInstance) => ({
  ...{ edge, instance, watching, isAwaited, since: lastWatch?.since, log: lastWatch?.log },
  run: run && { addresses: [...run.addresses].sort(), sinceAgeMs: run.sinceAgeMs },
  workers: [...workers]
    .map(([worker, said]) => ({ worker, ...said, runsSinceMs: undefined }))
    .sort((one, other) => (one.worker < other.worker ? -1 : 1)),
});

async function heardByEither(calls: readonly Call[]) {
  const { one, other, both } = await two();
  const { clock, policies } = one;
  const hearsAll = new EdgeRegistry({ clock, policies });
  const held = new Map<number, () => void>();
  const cursors = new Map<number, number>();
  for (const { does, who, at, worker, more, generation, thenMs } of calls) {
    const of = OF[who] ?? { edge: "", instance: "" };
    const { instances } = at === 0 ? one : other;
    // One Envoy has one watch: the next one comes when the last is over.
    if (does === "watches" || does === "hangs up") held.get(who)?.();
    if (does === "hangs up") held.delete(who);
    if (does === "watches") {
      const since = (cursors.get(who) ?? 0) + generation - 1;
      cursors.set(who, since);
      const said = request({ ...of, since, address: `192.0.2.${generation}` });
      const ends = [instances, hearsAll].map((registry) => {
        registry.watched(said);
        return registry.watching(of);
      });
      held.set(who, () => {
        for (const end of ends) end();
      });
    }
    for (const registry of [instances, hearsAll]) {
      if (does === "acquires") registry.acquired(of);
      if (does !== "reports") continue;
      const policy = { source: "control-plane", generation, hash: `${generation}` };
      registry.reported(of, { worker: `w${worker}`, more, arrivedAtMs: clock.monotonicMs(), policy });
    }
    await pass(thenMs, both, Math.min(thenMs, SECOND_MS));
  }
  return { planes: [one, other], both, hearsAll };
}

describe("calls that go to either of two control planes", () => {
  it("both know of each instance and worker what one that heard all calls knows", async () => {
    const property = fc.asyncProperty(fc.array(call, { maxLength: 25 }), async (calls) => {
      // None is gone meanwhile: that the others find somewhat later, as they should.
      fc.pre(calls.reduce((sum, { thenMs }) => sum + thenMs, 0) < 280 * SECOND_MS);
      const { planes, both, hearsAll } = await heardByEither(calls);
      await pass(8 * SECOND_MS, both);
      for (const { instances } of planes) {
        for (const edge of ["gw-1"]) {
          const byInstance = (known: readonly KnownInstance[]) =>
            known.map(told).sort((a, b) => (a.instance < b.instance ? -1 : 1));
          expect(byInstance(instances.knownOf(edge, GRACE_MS))).toEqual(byInstance(hearsAll.knownOf(edge, GRACE_MS)));
        }
        for (const of of OF) expect(instances.status(of, GRACE_MS)).toBe(hearsAll.status(of, GRACE_MS));
      }
    });
    await fc.assert(property, { numRuns: 300, endOnFailure: true });
  });
});
