// What every store of policies must do: each generation can be read back, and nobody overwrites what another decided.
import { expect, it } from "vitest";

import type { PolicyDecision, PolicyStore } from "../../src/app/ports/ports.js";

const AT_MS = Date.UTC(2026, 0, 1);

/** A decision on a policy; the JSON is any. */
export const decision = (generation: number, policyJson = `{"version":${generation}}`): PolicyDecision => ({
  generation,
  policyJson,
  hash: `hash of ${policyJson}`,
  atMs: AT_MS + generation,
  source: "policy.yaml",
});

/** `open` gives an empty store, whose log has no entry, and sees to its end. */
export function policyContract(open: () => Promise<PolicyStore>): void {
  /** Generations 1 to `count`. */
  const withGenerations = async (count: number): Promise<PolicyStore> => {
    const policies = await open();
    for (let at = 1; at <= count; at++) expect(await policies.savePolicy(decision(at), at - 1)).toBe(true);
    return policies;
  };
  const kept = async (policies: PolicyStore, upTo: number): Promise<number[]> => {
    const found: number[] = [];
    for (let at = 1; at <= upTo; at++) if ((await policies.policy(at)) !== undefined) found.push(at);
    return found;
  };

  it("has no generation before the first is saved", async () => {
    const policies = await open();
    expect(await policies.newestGeneration()).toBe(0);
    expect(await policies.policy(0)).toBeUndefined();
    expect(await policies.policy(1)).toBeUndefined();
  });

  it("gives back each generation as it was decided, with the log's position then", async () => {
    const policies = await withGenerations(3);
    expect(await policies.newestGeneration()).toBe(3);
    for (const at of [1, 2, 3]) {
      expect(await policies.policy(at)).toEqual({
        ...decision(at),
        position: { log: expect.any(String) as string, cursor: 0 },
      });
    }
    expect(await policies.policy(4)).toBeUndefined();
  });

  it("numbers a return to an older policy as a decision of its own", async () => {
    const policies = await withGenerations(2);
    const { policyJson } = decision(1);
    expect(await policies.savePolicy(decision(3, policyJson), 2)).toBe(true);
    expect(await policies.policy(3)).toMatchObject({ generation: 3, policyJson });
  });

  it("saves no policy over one that the caller does not know", async () => {
    const policies = await withGenerations(1);
    expect(await policies.savePolicy(decision(3, "[]"), 2)).toBe(false);
    expect(await policies.savePolicy(decision(1, "[]"), 0)).toBe(false);
    expect(await policies.policy(1)).toMatchObject(decision(1));
    expect(await policies.newestGeneration()).toBe(1);
  });

  it("lets one of two decisions at once win", async () => {
    const policies = await open();
    const both = [decision(1), decision(1, "[]")];
    expect(await Promise.all(both.map((one) => policies.savePolicy(one, 0)))).toEqual([true, false]);
    expect(await policies.policy(1)).toMatchObject(decision(1));
  });

  it("forgets all but the newest generations and those that are named", async () => {
    const policies = await withGenerations(6);
    expect(await policies.forgetPolicies({ newest: 2, also: new Set([2, 9]) })).toBe(3);
    expect(await kept(policies, 6)).toEqual([2, 5, 6]);
    expect(await policies.forgetPolicies({ newest: 100, also: new Set() })).toBe(0);
    expect(await policies.forgetPolicies({ newest: 1, also: new Set() })).toBe(2);
    expect(await kept(policies, 6)).toEqual([6]);
    expect(await policies.newestGeneration()).toBe(6);
  });
}
