// Who holds a session and what instances reported of it, and keys of consumptions that are forgotten.
import type { UsageStore } from "../../../app/ports/usage-ports.js";
import type { HoldState } from "../../../domain/decisions/hold-session.js";
import { allRows } from "../../../domain/former-rows.js";
import type { UsageRow } from "../../../domain/stored.js";
import { KEYS, keyOf } from "../keys.js";
import { LIFE, lifeOf } from "../reading/life-read.js";
import { strings } from "../reading/reads.js";
import type { Reads } from "../reading/reads.js";
import { storedSession } from "../reading/stored-session.js";
import type { Commits } from "../writing/commits.js";

export class RedisUsage implements UsageStore {
  constructor(
    private readonly reads: Reads,
    private readonly commits: Commits,
  ) {}

  async look(sessionId: string): Promise<HoldState> {
    const { position, answers } = await this.reads.run([["hash", keyOf.session(sessionId)], LIFE]);
    const found = storedSession(sessionId, strings(answers[0]))?.record;
    return { found, position, life: lifeOf(position, answers[1]) };
  }

  async rowsOf(sessionId: string): Promise<readonly UsageRow[]> {
    const rows = allRows((await this.look(sessionId)).found?.rows ?? []);
    return rows.map(({ edge, instance, figures }) => ({ edge, instance, figures }));
  }

  async plansInUse(): Promise<readonly number[]> {
    const plans = strings(await this.reads.command(["SMEMBERS", KEYS.plans]));
    const { answers } = await this.reads.run(plans.map((plan) => ["count", keyOf.plan(Number(plan))]));
    return plans
      .filter((_, i) => Number(answers[i]) > 0)
      .map(Number)
      .sort((a, b) => a - b);
  }

  async forgetConsumptions(beforeMs: number, limit: number): Promise<number> {
    const range = [KEYS.consumed, "-inf", `(${beforeMs}`, "BYSCORE", "LIMIT", "0", String(limit)];
    const old = strings(await this.reads.command(["ZRANGE", ...range]));
    if (old.length === 0) return 0;
    const forget = old.map((member) => ["FORGET", member, String(beforeMs)]);
    await this.commits.run([], forget, "taken");
    return old.length;
  }
}
