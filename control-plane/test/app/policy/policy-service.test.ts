// What an operator sees who edits the policy.
import { describe, expect, it, vi } from "vitest";
import { createHash } from "node:crypto";
import { NoPolicyError } from "../../../src/app/policy/policy-steps.js";
import { violationLine } from "../../../src/domain/policy/violation-line.js";
import { Disk, LIFETIME_MS, NOW_MS, planNames, startPolicyService } from "../../support/policy-service.js";
import { daily, LIMITED, REPORTING } from "../../support/sessions.js";

describe("the first start", () => {
  it("the first policy gets generation 1 and is stored", async () => {
    const { service, disk } = await startPolicyService("0 default");
    expect(service.current().generation).toBe(1);
    expect(disk.stored).toMatchObject({ generation: 1 });
  });

  it("edges are given the stored bytes, with their hash and generation beside them", async () => {
    const { service, disk } = await startPolicyService("0 default");
    const { generation, bytes, hash } = service.published("gw-1");
    expect(bytes.toString()).toBe(disk.stored?.policyJson);
    const wanted = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
    expect([generation, hash, service.published("gw-2").bytes]).toEqual([1, wanted, bytes]);
  });

  it("a bad policy stops the first start, and every violation is named", async () => {
    await expect(startPolicyService("nonsense")).rejects.toThrow(NoPolicyError);
    await expect(startPolicyService("nonsense")).rejects.toThrow("policy.yaml:3:5: plans[0]: expected a plan");
  });

  it("a missing file stops the first start, and is named", async () => {
    await expect(startPolicyService(null)).rejects.toThrow("policy.yaml: cannot be read: ENOENT");
  });

  it("no policy is in force where the first one cannot be stored", async () => {
    const disk = new Disk();
    disk.full = true;
    await expect(startPolicyService("0 default", disk)).rejects.toThrow("no space left");
  });
});

describe("a restart", () => {
  it("the same policy keeps its generation over a restart", async () => {
    const { disk } = await startPolicyService("0 default", new Disk({ generation: 41, policyJson: '{"plans":[]}' }));
    expect(disk.stored?.generation).toBe(42);
    const again = await startPolicyService(" 0 default ", disk);
    expect(again.service.current().generation).toBe(42);
  });

  it.each([
    ["edited badly", "nonsense"],
    ["taken away", null],
  ])("a policy that was %s during a restart is logged, and the last good one serves", async (_, text) => {
    const { disk } = await startPolicyService("0 default");
    const { service, lines } = await startPolicyService(text, disk);
    expect(service.current().generation).toBe(1);
    expect(planNames(service)).toEqual(["default"]);
    expect(lines.filter(({ level }) => level === "error")).toMatchObject([{ event: "policy-rejected" }]);
  });

  it("a stored policy that this version cannot use is replaced by the file's", async () => {
    const { service } = await startPolicyService(
      "0 default",
      new Disk({ generation: 7, policyJson: "of another version" }),
    );
    expect(service.current().generation).toBe(8);
  });

  it("a stored policy that this version cannot use does not serve instead of a bad file", async () => {
    const disk = new Disk({ generation: 7, policyJson: "of another version" });
    await expect(startPolicyService("nonsense", disk)).rejects.toThrow(NoPolicyError);
  });
});

describe("an edit", () => {
  it("a limit that a plan has no more is named in the log, one that was changed is not", async () => {
    const policy = (...plans: object[]): string => JSON.stringify({ ...REPORTING, plans });
    const other = { ...LIMITED, id: 5, name: "other" };
    const { service, document, lines } = await startPolicyService(policy(LIMITED, other));
    await document.save(policy({ ...LIMITED, name: "new" }, { ...other, limits: [{ ...daily, maxTokens: 7 }] }));
    expect(lines.filter(({ event }) => event === "limits-gone")).toEqual([
      { level: "info", event: "limits-gone", limits: ["other/search"], generation: 2 },
    ]);
    await document.save(policy({ ...LIMITED, name: "new" }, other));
    expect(service.current().generation).toBe(3);
    expect(lines.filter(({ event }) => event === "limits-gone")).toHaveLength(1);
  });

  it("an edit is in force, numbered, stored first, and announced to subscribers", async () => {
    const { service, document, disk } = await startPolicyService("0 default");
    const announced: unknown[] = [];
    service.subscribe(() => announced.push([service.published("gw-1").generation, disk.stored?.generation]));
    await document.save("0 default, 1 gold");
    expect(planNames(service)).toEqual(["default", "gold"]);
    expect(announced).toEqual([[2, 2]]);
  });

  it("an edit that changes nothing keeps the generation and is announced to nobody", async () => {
    const { service, document } = await startPolicyService("0 default");
    const listener = vi.fn();
    service.subscribe(listener);
    await document.save("  0 default  ");
    expect(service.current().generation).toBe(1);
    expect(listener).not.toHaveBeenCalled();
  });

  it("a bad edit is rejected whole, logged with positions, and the old policy stays", async () => {
    const { service, document, lines } = await startPolicyService("0 default");
    const before = service.current();
    await document.save("0 other, nonsense");
    expect(service.current()).toBe(before);
    const violations = [{ path: "plans[0]", line: 3, column: 5, message: "expected a plan" }];
    expect(lines.at(-1)).toMatchObject({ level: "error", event: "policy-rejected", source: "policy.yaml", violations });
  });

  it("an edit that mends a bad one is in force", async () => {
    const { service, document } = await startPolicyService("0 default");
    await document.save("nonsense");
    await document.save("0 mended");
    expect(planNames(service)).toEqual(["mended"]);
    expect(service.current().generation).toBe(2);
  });

  it("an edit that cannot be stored is not in force, and is tried again", async () => {
    const { service, document, disk, lines } = await startPolicyService("0 default");
    disk.full = true;
    expect(await document.save("0 other")).toBe(false);
    expect(service.current().generation).toBe(1);
    expect(lines.at(-1)).toMatchObject({ level: "error", event: "policy-store-failed" });
    disk.full = false;
    expect(await document.save("0 other")).toBe(true);
    expect(service.current().generation).toBe(2);
  });

  it("an edit is not announced after unsubscribing, and not read after the stop", async () => {
    const { service, document } = await startPolicyService("0 default");
    const listener = vi.fn();
    service.subscribe(listener)();
    await document.save("0 other");
    await service.stop();
    await document.save("0 third");
    expect(listener).not.toHaveBeenCalled();
    expect(planNames(service)).toEqual(["other"]);
  });
});

describe("an edit that takes a plan away", () => {
  it("an edit without a plan is rejected, with the number of live sessions that have it", async () => {
    const { service, document, lines, countLive } = await startPolicyService("0 default, 2 gold");
    countLive.mockResolvedValue(17);
    await document.save("0 default");
    expect(planNames(service)).toEqual(["default", "gold"]);
    expect(countLive.mock.calls).toEqual([[2, NOW_MS - LIFETIME_MS]]);
    expect(lines.at(-1)?.violations?.map((violation) => violationLine("policy.yaml", violation))).toEqual([
      'policy.yaml: plans: plan "gold" (id 2) cannot go while 17 live sessions have it; keep it, or end those and save again',
    ]);
  });

  it("a file without a plan of live sessions is rejected at a restart too", async () => {
    const { disk } = await startPolicyService("0 default, 2 gold");
    const { service, lines } = await startPolicyService("1 other", disk, { liveSessions: 1 });
    expect(lines.at(-1)?.violations).toHaveLength(2);
    expect(planNames(service)).toEqual(["default", "gold"]);
  });

  it("an edit without a plan is in force once no session has it", async () => {
    const { service, document, countLive } = await startPolicyService("0 default, 2 gold");
    countLive.mockResolvedValueOnce(1);
    await document.save("0 default");
    await document.save("0 default");
    expect(planNames(service)).toEqual(["default"]);
  });

  it("an edit that renames a plan under its id is accepted", async () => {
    const { service, document, countLive } = await startPolicyService("0 default, 2 gold");
    countLive.mockResolvedValue(17);
    await document.save("0 default, 2 platinum");
    expect(planNames(service)).toEqual(["default", "platinum"]);
  });
});
