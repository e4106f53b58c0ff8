// A policy service over a document and a disk that a test holds in its hands.
import { vi } from "vitest";
import type { AuditStore } from "../../src/app/ports/audit-ports.js";
import type { FollowedText } from "../../src/app/ports/followed-text.js";
import type { PolicyValidator, PolicyViolation } from "../../src/app/ports/policy-ports.js";
import { PolicyService } from "../../src/app/policy/policy-service.js";
import type { PolicyDecision, StoredPolicy } from "../../src/app/ports/ports.js";
import type { PlansOfPolicy } from "../../src/domain/plan.js";
import { MemoryPolicies } from "../../src/store/memory/policies.js";
import { FixedClock } from "./fixed-clock.js";
import { noAudit } from "./no-audit.js";
import { REPORTING, STARTER } from "./sessions.js";

export const NOW_MS = 1_700_000_000_000;
export const LIFETIME_MS = 60_000;

/** A document of these tests lists plans: `0 default, 2 gold`. Anything else is a violation. */
export const validate: PolicyValidator = {
  readPolicyDocument: (source) => {
    const text = source.toString();
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

class Document implements FollowedText {
  readonly name = "policy.yaml";
  private changed: () => Promise<boolean> = () => Promise.resolve(true);
  constructor(public text: string | null) {}

  read(): Promise<string> {
    return this.text === null ? Promise.reject(new Error("ENOENT")) : Promise.resolve(this.text);
  }
  /** Whether what was read at the start needs no second look. */
  isTaken = true;

  watch(onChange: () => Promise<boolean>, isTaken: boolean): () => void {
    this.changed = onChange;
    this.isTaken = isTaken;
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
export class Disk extends MemoryPolicies {
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

/** Counts from 0, while the wall clock stands still. */
class SinceStart extends FixedClock {
  private sinceStartMs = 0;

  constructor() {
    super(NOW_MS);
  }
  override monotonicMs(): number {
    return this.sinceStartMs;
  }
  override advance(ms: number): void {
    this.sinceStartMs += ms;
  }
}

interface Line {
  level: string;
  event: string;
  violations?: readonly PolicyViolation[];
}

interface Circumstances {
  readonly liveSessions?: number;
  readonly validate?: PolicyValidator;
  readonly audit?: AuditStore;
}

export async function startPolicyService(text: string | null, disk = new Disk(), given: Circumstances = {}) {
  const { liveSessions = 0, validate: validator = validate, audit = noAudit } = given;
  const document = new Document(text);
  const lines: Line[] = [];
  const log = (level: string) => (fields: object) => {
    const line = { level, ...(fields as Omit<Line, "level">) };
    if (line.event !== "audit") lines.push(line);
  };
  const logger = { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  const countLive = vi.fn<(planId: number, sinceMs: number) => Promise<number>>(() => Promise.resolve(liveSessions));
  const clock = new SinceStart();
  const pass = (ms: number): void => {
    clock.advance(ms);
  };
  const parts = {
    source: document,
    validate: validator,
    store: disk,
    audit,
    sessions: { countLive },
    operator: { sessionsBefore: () => Promise.resolve([]) },
    clock,
    logger,
  };
  const service = await PolicyService.start(parts);
  return { service, document, disk, lines, countLive, pass };
}

export const planNames = (service: PolicyService): string[] => service.current().policy.plans.map(({ name }) => name);
