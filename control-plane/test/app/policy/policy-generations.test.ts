// Generations of the policy: their numbers, and two control planes that decide over one store.
import { describe, expect, it, vi } from "vitest";
import { planNames, startPolicyService, validate } from "../../support/policy-service.js";
import { until } from "../../support/until.js";

describe("a generation", () => {
  it("a return to an older policy gets a new generation with the older bytes", async () => {
    const { service, document } = await startPolicyService("0 default");
    const before = service.published("gw-1");
    await document.save("0 other");
    await document.save("0 default");
    const after = service.published("gw-1");
    expect([after.generation, after.hash]).toEqual([3, before.hash]);
  });

  it("a generation says since when it is offered, and whether it was decided or found stored", async () => {
    const { service, document, disk, pass } = await startPolicyService("0 default");
    pass(500);
    await document.save("0 other");
    expect(service.published("gw-1")).toMatchObject({ sinceMs: 500, decidedAtMs: 500 });
    const again = await startPolicyService("0 other", disk);
    expect(again.service.published("gw-1")).toMatchObject({ generation: 2, decidedAtMs: null });
  });
});

describe("two control planes over one store", () => {
  const another = (names: string): string => {
    const reading = validate.readPolicyDocument(names);
    return "policyJson" in reading ? reading.policyJson : "";
  };

  it("a document saved after the other's decision gets a higher generation", async () => {
    const { service, document, disk, lines } = await startPolicyService("0 default");
    disk.decide({ generation: 2, policyJson: another("0 theirs") });
    await document.save("0 ours");
    expect(disk.stored).toMatchObject({ generation: 3, policyJson: another("0 ours") });
    expect(planNames(service)).toEqual(["ours"]);
    expect(lines.map(({ event }) => event)).toContain("policy-reloaded");
  });

  it("a document that says what the other decided is no new decision", async () => {
    const { service, document, disk } = await startPolicyService("0 default");
    disk.decide({ generation: 2, policyJson: another("0 same") });
    await document.save("0 same");
    expect([disk.stored?.generation, service.current().generation]).toEqual([2, 2]);
  });

  it("the other's decision is taken once an edge shows its generation", async () => {
    const { service, disk, lines } = await startPolicyService("0 default");
    const announced: number[] = [];
    service.subscribe(() => announced.push(service.published("gw-1").generation));
    disk.decide({ generation: 2, policyJson: another("0 theirs") });
    service.shown(1);
    service.shown(2);
    await until(() => {
      expect(planNames(service)).toEqual(["theirs"]);
    });
    expect(announced).toEqual([2]);
    expect(lines.at(-1)).toMatchObject({ level: "info", event: "policy-reloaded", generation: 2 });
  });

  it("a policy of the other that cannot be read here is logged, and the own one stays", async () => {
    const { service, disk, lines } = await startPolicyService("0 default");
    disk.decide({ generation: 2, policyJson: "of a later version" });
    service.shown(2);
    await until(() => {
      expect(lines.at(-1)).toMatchObject({
        level: "error",
        event: "policy-take-failed",
        err: new Error("the stored policy, generation 2, is none that this version can read"),
      });
    });
    expect(lines.map(({ event }) => event)).not.toContain("policy-store-failed");
    expect(service.current().generation).toBe(1);
  });

  it("a store that does not give the other's policy is logged as the store's failure", async () => {
    const { service, disk, lines } = await startPolicyService("0 default");
    disk.decide({ generation: 2, policyJson: another("0 theirs") });
    vi.spyOn(disk, "policy").mockRejectedValueOnce(new Error("MDB_CORRUPTED"));
    service.shown(2);
    await until(() => {
      expect(lines.at(-1)).toMatchObject({ event: "policy-store-failed", error: "Error: MDB_CORRUPTED" });
    });
    expect(service.current().generation).toBe(1);
  });
});

describe("a generation that an edge has received and the store has not", () => {
  it("a generation that the store lacks is logged once a minute, however many edges show it", async () => {
    const { service, lines, disk, pass } = await startPolicyService("0 default");
    const load = vi.spyOn(disk, "newestGeneration");
    const logged = (): number => lines.filter(({ event }) => event === "policy-generation-unknown").length;
    for (let edge = 0; edge < 100; edge++) service.shown(9);
    await until(() => {
      expect(logged()).toBe(1);
    });
    for (let edge = 0; edge < 100; edge++) service.shown(9);
    pass(59_999);
    service.shown(9);
    expect([load.mock.calls.length, service.current().generation]).toEqual([1, 1]);
    pass(1);
    service.shown(9);
    await until(() => {
      expect(logged()).toBe(2);
    });
  });
});
