// What an operator sees who edits the policy.
import { createHash } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import type { PolicyViolation, PolicyValidator, PolicySource } from "../../../src/app/ports/policy-ports.js";
import { PolicyService } from "../../../src/app/policy/policy-service.js";
import { NoPolicyError, violationLine } from "../../../src/app/policy/policy-steps.js";
import type { PolicyDecision, StoredPolicy } from "../../../src/app/ports/ports.js";
import type { PlansOfPolicy } from "../../../src/domain/plan.js";
import { MemoryPolicies } from "../../../src/store/memory/policies.js";
import { noAudit } from "../../support/no-audit.js";
import { REPORTING, STARTER } from "../../support/sessions.js";

const NOW_MS = 1_700_000_000_000;
const LIFETIME_MS = 60_000;

/** A document of these tests lists plans: `0 default, 2 gold`. Anything else is a violation. */
const validate: PolicyValidator = {
  readPolicyDocument: (text) => {
    if (text.startsWith("{")) return { policy: JSON.parse(text) as PlansOfPolicy, policyJson: text };
    const found = text.split(",").map((line) => /^\s*(\d+) ([a-z]+)\s*$/.exec(line));
    const plans = found.filter((match) => match !== null).map(([, id, name]) => plan(Number(id), name ?? ""));
    if (plans.length < found.length) {
      return { violations: [{ path: "plans[0]", line: 3, column: 5, message: "expected a plan" }] };
    }
    const policy = { ...REPORTING, plans };
    return { policy, policyJson: JSON.stringify(policy) };
  },
};
const plan = (id: number, name: string) => ({ ...STARTER, id, name, lifetime: LIFETIME_MS });

class Document implements PolicySource {
  readonly name = "policy.yaml";
  private changed: () => Promise<boolean> = () => Promise.resolve(true);
  constructor(public text: string | null) {}

  read(): Promise<string> {
    return this.text === null ? Promise.reject(new Error("ENOENT")) : Promise.resolve(this.text);
  }
  watch(onChange: () => Promise<boolean>): () => void {
    this.changed = onChange;
    return () => {
      this.changed = () => Promise.resolve(true);
    };
  }
  /** Answers what the service answers its source: whether it is done with this text. */
  save(text: string | null): Promise<boolean> {
    this.text = text;
    return this.changed();
  }
}

/** A disk that can be full, and that another control plane may write to. */
class Disk extends MemoryPolicies {
  full = false;

  constructor(first?: Decided) {
    super(() => ({ log: "log-of-a-test", cursor: 0 }));
    if (first !== undefined) this.decide(first);
  }
  override savePolicy(decision: PolicyDecision, expectedGeneration: number): Promise<boolean> {
    if (this.full) return Promise.reject(new Error("no space left"));
    return super.savePolicy(decision, expectedGeneration);
  }
  /** As another process, or an earlier version, has it. */
  decide({ generation, policyJson }: Decided): void {
    const decision = { generation, policyJson, hash: "", atMs: null, source: null };
    void super.savePolicy(decision, this.stored?.generation ?? 0);
  }
  /** The newest. */
  get stored(): StoredPolicy | undefined {
    return [...this.generations.values()].at(-1);
  }
}

type Decided = Pick<PolicyDecision, "generation" | "policyJson">;

interface Line {
  level: string;
  type: string;
  violations?: readonly PolicyViolation[];
}

async function start(text: string | null, disk = new Disk(), liveSessions = 0) {
  const document = new Document(text);
  const lines: Line[] = [];
  const log = (level: string) => (fields: object) => {
    const line = { level, ...(fields as Omit<Line, "level">) };
    if (line.type !== "audit") lines.push(line);
  };
  const logger = { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  const countLive = vi.fn<(planId: number, sinceMs: number) => Promise<number>>(() => Promise.resolve(liveSessions));
  let monotonicMs = 0;
  const clock = { nowMs: () => NOW_MS, monotonicMs: () => monotonicMs };
  const pass = (ms: number): void => void (monotonicMs += ms);
  const parts = { source: document, validate, store: disk, audit: noAudit, sessions: { countLive }, clock, logger };
  const service = await PolicyService.start(parts);
  return { service, document, disk, lines, countLive, pass };
}

const planNames = (service: PolicyService): string[] => service.current().policy.plans.map(({ name }) => name);

describe("the first start", () => {
  it("the first policy gets generation 1 and is stored", async () => {
    const { service, disk } = await start("0 default");
    expect(service.current().generation).toBe(1);
    expect(disk.stored).toMatchObject({ generation: 1 });
  });

  it("edges are given the stored bytes, with their hash and generation beside them", async () => {
    const { service, disk } = await start("0 default");
    const { generation, bytes, hash } = service.published("gw-1");
    expect(bytes.toString()).toBe(disk.stored?.policyJson);
    const wanted = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
    expect([generation, hash, service.published("gw-2").bytes]).toEqual([1, wanted, bytes]);
  });

  it("a bad policy stops the first start, and every violation is named", async () => {
    await expect(start("nonsense")).rejects.toThrow(NoPolicyError);
    await expect(start("nonsense")).rejects.toThrow("policy.yaml:3:5: plans[0]: expected a plan");
  });

  it("a missing file stops the first start, and is named", async () => {
    await expect(start(null)).rejects.toThrow("policy.yaml: cannot be read: ENOENT");
  });

  it("no policy is in force where the first one cannot be stored", async () => {
    const disk = new Disk();
    disk.full = true;
    await expect(start("0 default", disk)).rejects.toThrow("no space left");
  });
});

describe("a restart", () => {
  it("the same policy keeps its generation over a restart", async () => {
    const { disk } = await start("0 default", new Disk({ generation: 41, policyJson: '{"plans":[]}' }));
    expect(disk.stored?.generation).toBe(42);
    const again = await start(" 0 default ", disk);
    expect(again.service.current().generation).toBe(42);
  });

  it.each([
    ["edited badly", "nonsense"],
    ["taken away", null],
  ])("a policy that was %s during a restart is logged, and the last good one serves", async (_, text) => {
    const { disk } = await start("0 default");
    const { service, lines } = await start(text, disk);
    expect(service.current().generation).toBe(1);
    expect(planNames(service)).toEqual(["default"]);
    expect(lines.filter(({ level }) => level === "error")).toMatchObject([{ type: "policy-rejected" }]);
  });

  it("a stored policy that this version cannot use is replaced by the file's", async () => {
    const { service } = await start("0 default", new Disk({ generation: 7, policyJson: "of another version" }));
    expect(service.current().generation).toBe(8);
  });

  it("a stored policy that this version cannot use does not serve instead of a bad file", async () => {
    const disk = new Disk({ generation: 7, policyJson: "of another version" });
    await expect(start("nonsense", disk)).rejects.toThrow(NoPolicyError);
  });
});

describe("an edit", () => {
  it("an edit is in force, numbered, stored first, and announced to subscribers", async () => {
    const { service, document, disk } = await start("0 default");
    const announced: unknown[] = [];
    service.subscribe(() => announced.push([service.published("gw-1").generation, disk.stored?.generation]));
    await document.save("0 default, 1 gold");
    expect(planNames(service)).toEqual(["default", "gold"]);
    expect(announced).toEqual([[2, 2]]);
  });

  it("an edit that changes nothing keeps the generation and is announced to nobody", async () => {
    const { service, document } = await start("0 default");
    const listener = vi.fn();
    service.subscribe(listener);
    await document.save("  0 default  ");
    expect(service.current().generation).toBe(1);
    expect(listener).not.toHaveBeenCalled();
  });

  it("a bad edit is rejected whole, logged with positions, and the old policy stays", async () => {
    const { service, document, lines } = await start("0 default");
    const before = service.current();
    await document.save("0 other, nonsense");
    expect(service.current()).toBe(before);
    const violations = [{ path: "plans[0]", line: 3, column: 5, message: "expected a plan" }];
    expect(lines.at(-1)).toMatchObject({ level: "error", type: "policy-rejected", source: "policy.yaml", violations });
  });

  it("an edit that mends a bad one is in force", async () => {
    const { service, document } = await start("0 default");
    await document.save("nonsense");
    await document.save("0 mended");
    expect(planNames(service)).toEqual(["mended"]);
    expect(service.current().generation).toBe(2);
  });

  it("an edit that cannot be stored is not in force, and is tried again", async () => {
    const { service, document, disk, lines } = await start("0 default");
    disk.full = true;
    expect(await document.save("0 other")).toBe(false);
    expect(service.current().generation).toBe(1);
    expect(lines.at(-1)).toMatchObject({ level: "error", type: "policy-store-failed" });
    disk.full = false;
    expect(await document.save("0 other")).toBe(true);
    expect(service.current().generation).toBe(2);
  });

  it("an edit is not announced after unsubscribing, and not read after the stop", async () => {
    const { service, document } = await start("0 default");
    const listener = vi.fn();
    service.subscribe(listener)();
    await document.save("0 other");
    service.stop();
    await document.save("0 third");
    expect(listener).not.toHaveBeenCalled();
    expect(planNames(service)).toEqual(["other"]);
  });
});

describe("an edit that takes a plan away", () => {
  it("an edit without a plan is rejected, with the number of live sessions that have it", async () => {
    const { service, document, lines, countLive } = await start("0 default, 2 gold");
    countLive.mockResolvedValue(17);
    await document.save("0 default");
    expect(planNames(service)).toEqual(["default", "gold"]);
    expect(countLive.mock.calls).toEqual([[2, NOW_MS - LIFETIME_MS]]);
    expect(lines.at(-1)?.violations?.map((violation) => violationLine(violation, "policy.yaml"))).toEqual([
      'policy.yaml: plans: plan "gold" (id 2) cannot go while 17 live sessions have it; keep it, or end those and save again',
    ]);
  });

  it("a file without a plan of live sessions is rejected at a restart too", async () => {
    const { disk } = await start("0 default, 2 gold");
    const { service, lines } = await start("1 other", disk, 1);
    expect(lines.at(-1)?.violations).toHaveLength(2);
    expect(planNames(service)).toEqual(["default", "gold"]);
  });

  it("an edit without a plan is in force once no session has it", async () => {
    const { service, document, countLive } = await start("0 default, 2 gold");
    countLive.mockResolvedValueOnce(1);
    await document.save("0 default");
    await document.save("0 default");
    expect(planNames(service)).toEqual(["default"]);
  });

  it("an edit that renames a plan under its id is accepted", async () => {
    const { service, document, countLive } = await start("0 default, 2 gold");
    countLive.mockResolvedValue(17);
    await document.save("0 default, 2 platinum");
    expect(planNames(service)).toEqual(["default", "platinum"]);
  });
});

describe("a generation", () => {
  it("a return to an older policy gets a new generation with the older bytes", async () => {
    const { service, document } = await start("0 default");
    const before = service.published("gw-1");
    await document.save("0 other");
    await document.save("0 default");
    const after = service.published("gw-1");
    expect([after.generation, after.hash]).toEqual([3, before.hash]);
  });

  it("a generation says since when it is offered, and whether it was decided or found stored", async () => {
    const { service, document, disk, pass } = await start("0 default");
    pass(500);
    await document.save("0 other");
    expect(service.published("gw-1")).toMatchObject({ sinceMs: 500, decidedAtMs: 500 });
    const again = await start("0 other", disk);
    expect(again.service.published("gw-1")).toMatchObject({ generation: 2, decidedAtMs: null });
  });
});

describe("two control planes over one store", () => {
  const another = (names: string): string => {
    const reading = validate.readPolicyDocument(names);
    return "policyJson" in reading ? reading.policyJson : "";
  };

  it("a document saved after the other's decision gets a higher generation", async () => {
    const { service, document, disk, lines } = await start("0 default");
    disk.decide({ generation: 2, policyJson: another("0 theirs") });
    await document.save("0 ours");
    expect(disk.stored).toMatchObject({ generation: 3, policyJson: another("0 ours") });
    expect(planNames(service)).toEqual(["ours"]);
    expect(lines.map(({ type }) => type)).toContain("policy-reloaded");
  });

  it("a document that says what the other decided is no new decision", async () => {
    const { service, document, disk } = await start("0 default");
    disk.decide({ generation: 2, policyJson: another("0 same") });
    await document.save("0 same");
    expect([disk.stored?.generation, service.current().generation]).toEqual([2, 2]);
  });

  it("the other's decision is taken once an edge shows its generation", async () => {
    const { service, disk, lines } = await start("0 default");
    const announced: number[] = [];
    service.subscribe(() => announced.push(service.published("gw-1").generation));
    disk.decide({ generation: 2, policyJson: another("0 theirs") });
    service.shown(1);
    service.shown(2);
    await vi.waitFor(() => {
      expect(planNames(service)).toEqual(["theirs"]);
    });
    expect(announced).toEqual([2]);
    expect(lines.at(-1)).toMatchObject({ level: "info", type: "policy-reloaded", generation: 2 });
  });

  it("a policy of the other that cannot be read here is logged, and the own one stays", async () => {
    const { service, disk, lines } = await start("0 default");
    disk.decide({ generation: 2, policyJson: "of a later version" });
    service.shown(2);
    await vi.waitFor(() => {
      expect(lines.at(-1)).toMatchObject({ level: "error", type: "policy-store-failed" });
    });
    expect(service.current().generation).toBe(1);
  });
});

describe("a generation that an edge has received and the store has not", () => {
  it("a generation that the store lacks is logged once a minute, however many edges show it", async () => {
    const { service, lines, disk, pass } = await start("0 default");
    const load = vi.spyOn(disk, "newestGeneration");
    const logged = (): number => lines.filter(({ type }) => type === "policy-generation-unknown").length;
    for (let edge = 0; edge < 100; edge++) service.shown(9);
    await vi.waitFor(() => {
      expect(logged()).toBe(1);
    });
    for (let edge = 0; edge < 100; edge++) service.shown(9);
    pass(59_999);
    service.shown(9);
    expect([load.mock.calls.length, service.current().generation]).toEqual([1, 1]);
    pass(1);
    service.shown(9);
    await vi.waitFor(() => {
      expect(logged()).toBe(2);
    });
  });
});
