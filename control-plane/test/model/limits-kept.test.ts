// Whatever becomes of an edge and of the policy, no limit gives more than it holds and its rate in the time that passed.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { acquireSessions } from "../../src/app/edges/acquire-session.js";
import { reportUsage } from "../../src/app/edges/report-usage.js";
import type { RowOfReport } from "../../src/app/edges/report-usage.js";
import { issueSession } from "../../src/app/sessions/issue-session.js";
import { capacityMicro } from "../../src/domain/level.js";
import type { BucketLimits } from "../../src/domain/level.js";
import { exactRate } from "../../src/domain/policy/rate.js";
import type { Limit } from "../../src/domain/policy/policy.js";
import { daily, REPORTING, search, STARTER } from "../support/sessions.js";
import { LmdbLife } from "./life-engines.js";
import { SessionLife } from "./session-life.js";

const MICRO = 1_000_000;
const OWN = "";
const hourly: Limit = { name: "hourly", maxTokens: 30, tokenRefillRate: null, refill: "7/1h", applies: "always" };
const PLAN = { ...STARTER, maxAge: 90 * 86_400_000, lifetime: 90 * 86_400_000 };
const ALL: ReadonlyMap<string, BucketLimits> = new Map<string, BucketLimits>([
  [OWN, PLAN],
  ...[daily, hourly, search].map((limit): [string, Limit] => [limit.name, limit]),
]);

/** What a limit gives in so many ms beyond what it holds, rounded up: the edge's own rounding is no more than that. */
function gainedMicro(limit: BucketLimits, ms: number): number {
  const { micro, seconds } = exactRate(limit);
  return Number((BigInt(micro) * BigInt(ms)) / BigInt(seconds * 1000)) + 1;
}

interface EdgeRecord {
  rev: number;
  consumed: number;
  refilledAtMs: number;
  /** Of the plan's limits when the record got them; the plan's own by an empty name. */
  levels: Map<string, number>;
}

/** An edge with one session: it refills, spends all or none, and asks where its record's limits are not its plan's. */
class Edge {
  readonly spent = new Map<string, { atMs: number; micro: number }[]>();
  private instance = 1;
  private record: EdgeRecord | undefined;
  private readonly sent: RowOfReport[] = [];

  constructor(
    private readonly life: SessionLife,
    private readonly id: string,
    readonly limits: () => readonly string[],
  ) {}

  async request(tokens: number): Promise<void> {
    const record = await this.usable();
    const nowMs = this.life.clock.nowMs();
    for (const [name, micro] of record.levels) {
      const limit = ALL.get(name) ?? PLAN;
      const refilled = micro + gainedMicro(limit, nowMs - record.refilledAtMs) - 1;
      record.levels.set(name, Math.min(capacityMicro(limit), refilled));
    }
    record.refilledAtMs = nowMs;
    if ([...record.levels.values()].some((micro) => micro < tokens * MICRO)) return;
    for (const [name, micro] of record.levels) {
      record.levels.set(name, micro - tokens * MICRO);
      this.spent.set(name, [...(this.spent.get(name) ?? []), { atMs: nowMs, micro: tokens * MICRO }]);
    }
    record.rev += 1;
    record.consumed += tokens;
  }

  async report(): Promise<void> {
    if (this.record === undefined) return;
    await this.send([this.row(this.record)]);
  }

  /** Some report of before arrives once more. */
  async repeat(nth: number): Promise<void> {
    const row = this.sent[nth % Math.max(1, this.sent.length)];
    if (row !== undefined) await this.send([row]);
  }

  /** Its record makes room for another; only what is acknowledged does. */
  async evict(): Promise<void> {
    await this.report();
    this.record = undefined;
  }

  /** Its table is lost with what was not reported: here that is nothing. */
  async restart(): Promise<void> {
    await this.evict();
    // No two lives of an Envoy report in one millisecond.
    this.life.timers.advance(1);
    this.instance += 1;
    this.sent.length = 0;
  }

  private async usable(): Promise<EdgeRecord> {
    const names = [OWN, ...this.limits()];
    const had = this.record;
    if (had !== undefined && [...had.levels.keys()].join() === names.join()) return had;
    const rows = had === undefined ? [] : [this.row(had)];
    const { ports } = this.life.process;
    const [answer] = (await acquireSessions(ports, [this.id], this.asker(), { rows, malformed: [] })) ?? [];
    if (answer?.state !== "live") throw new Error(`the session is ${answer?.state}`);
    const { rev, consumed, level, levels = {} } = answer;
    const answered = (name: string): number => levels[name] ?? capacityMicro(ALL.get(name) ?? PLAN);
    // A level that is there stays as it is: an answer raises none.
    const own = had?.levels.get(OWN) ?? level;
    const refilledAtMs = this.life.clock.nowMs();
    const record = {
      rev: Math.max(rev, had?.rev ?? 0),
      consumed: Math.max(consumed, had?.consumed ?? 0),
      refilledAtMs,
    };
    this.record = { ...record, levels: new Map(names.map((name) => [name, name === OWN ? own : answered(name)])) };
    return this.record;
  }

  private asker = () => ({ edge: "gw-1", instance: `${this.instance}`.padStart(16, "0") });

  private row({ rev, consumed, refilledAtMs, levels }: EdgeRecord): RowOfReport {
    const further = [...levels].filter(([name]) => name !== OWN);
    const idleMs = this.life.clock.nowMs() - refilledAtMs;
    const row = { sessionId: this.id, rev, consumed, levelMicro: levels.get(OWN) ?? 0, idleMs };
    return further.length === 0 ? row : { ...row, limits: Object.fromEntries(further) };
  }

  private async send(rows: readonly RowOfReport[]): Promise<void> {
    this.sent.push(...rows);
    await reportUsage(this.life.process.ports, { ...this.asker(), worker: "", rows, malformed: [], more: false });
  }
}

/** In no span of time was more given than the limit holds and gains in it. */
function expectWithin(limit: BucketLimits, spent: readonly { atMs: number; micro: number }[]): void {
  for (const [first, { atMs: fromMs }] of spent.entries()) {
    let sum = 0;
    for (const { atMs, micro } of spent.slice(first)) {
      sum += micro;
      expect(sum).toBeLessThanOrEqual(capacityMicro(limit) + gainedMicro(limit, atMs - fromMs));
    }
  }
}

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ does: fc.constant("request" as const), n: fc.integer({ min: 1, max: 12 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constant("wait" as const), n: fc.constantFrom(1, 700, 20_000, 600_000) }),
  },
  { weight: 3, arbitrary: fc.record({ does: fc.constant("change" as const), n: fc.nat(7) }) },
  ...(["report", "repeat", "evict", "restart", "restartPlane"] as const).map((does) => {
    return { weight: 1, arbitrary: fc.record({ does: fc.constant(does), n: fc.nat(9) }) };
  }),
);

describe("limits that are taken out of the policy and put back", () => {
  it("no limit gives more than it holds and its rate, whatever becomes of edge and policy", async () => {
    const property = fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 80 }), async (steps) => {
      let plan = { ...PLAN, limits: [daily, hourly, search] };
      const life = new SessionLife(() => ({ ...REPORTING, plans: [plan] }), new LmdbLife());
      try {
        await life.start();
        const said = { userId: "u1", orgId: "o1", issuer: "login", plan: undefined, metadata: {} };
        const issued = await issueSession(life.process.ports, said, undefined);
        if (issued.outcome !== "issued") throw new Error(issued.outcome);
        const edge = new Edge(life, issued.session.id, () => plan.limits.map(({ name }) => name));
        for (const { does, n } of steps) {
          if (does === "wait") life.timers.advance(n);
          else if (does === "change")
            plan = { ...plan, limits: [daily, hourly, search].filter((_, i) => (n >> i) % 2 === 1) };
          else if (does === "restartPlane") await life.restart();
          else await edge[does](n);
        }
        for (const [name, spent] of edge.spent) expectWithin(ALL.get(name) ?? PLAN, spent);
      } finally {
        await life.end();
      }
    });
    await fc.assert(property, { numRuns: 40, interruptAfterTimeLimit: 15_000 });
  });
});
