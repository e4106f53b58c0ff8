// Commands of time and of the process: the clock moves, sessions are swept, the log is trimmed, the process restarts.
import fc from "fast-check";
import { expect } from "vitest";

import { sweepSessions } from "../../src/app/upkeep/sweep-sessions.js";
import type { SweepResult } from "../../src/app/upkeep/sweep-sessions.js";
import { command } from "./session-life-model-command.js";
import { DAY_MS } from "./session-life-model.js";
import type { SessionLifeModel } from "./session-life-model.js";
import type { ModelSession } from "./session-life-model-stored.js";
import type { SessionLife } from "./session-life.js";

const LOG_KEPT_MS = 3_600_000;

/** Short; past a grace; past an idle limit of a minute; about when an instance is gone; past lifetimes; past keys. */
const anyTimeMs = fc.constantFrom(
  ...[1, 1, 400, 1000, 15_000, 21_000, 60_000, 81_000, 81_000, 299_000, 301_000, 621_000],
  ...[1_200_000, 3_600_000, DAY_MS + 1],
);

const advance = command("advance", anyTimeMs, (ms, model, life) => {
  life.timers.advance(ms);
  model.nowMs += ms;
  return Promise.resolve();
});

/** A session that was active since it was filed is filed anew, and ends with the next sweep: so after two, none is idle. */
const sweep = command("sweep", fc.integer({ min: 1, max: 2 }), async (times, model, life) => {
  for (let i = 1; i <= times; i++) {
    const result = await sweepSessions(life.process.ports, () => false);
    await expectSwept(result, i === 2, model, life);
  }
});

async function expectSwept(
  result: SweepResult | undefined,
  isSecond: boolean,
  model: SessionLifeModel,
  life: SessionLife,
): Promise<void> {
  const { sessions } = model.stored;
  let removed = 0;
  for (const session of [...sessions.values()]) {
    const stored = await life.process.store.find(session.id);
    if (isPastLifetime(model, session)) {
      removed += 1;
      sessions.delete(session.id);
    } else if (model.isIdle(session)) {
      session.idleEnded = isSecond || stored?.idleEndedAt !== undefined;
      if (session.idleEnded) removed += 1;
    } else if (mayBeForgotten(model, session) && (stored === undefined || mustBeForgotten(model, session))) {
      sessions.delete(session.id);
    }
  }
  const named = new Set(model.policy.plans.map(({ id }) => id));
  const live = [...sessions.values()].filter((one) => model.stateOf(one) === "live" && named.has(one.plan.id));
  expect(result).toEqual({ removed, remaining: live.length });
}

const hasEnded = ({ revokedAt, idleEnded }: ModelSession): boolean => revokedAt !== null || idleEnded;

const isPastLifetime = (model: SessionLifeModel, session: ModelSession): boolean =>
  !hasEnded(session) && model.endsAt(session) <= model.nowMs;

/** Ended for good, and no plan's lifetime could make its token valid again. */
function mayBeForgotten(model: SessionLifeModel, session: ModelSession): boolean {
  const longest = Math.max(...model.policy.plans.map(({ lifetime }) => lifetime));
  return hasEnded(session) && session.createdAt < model.nowMs - longest;
}

/** The sweep meets it for certain once it has been inactive for as long as its plan lets a session be, or last. */
function mustBeForgotten(model: SessionLifeModel, session: ModelSession): boolean {
  const plan = model.planOf(session);
  const reachMs = plan === undefined ? 0 : Math.min(plan.maxAge + model.graceMs, plan.lifetime);
  return mayBeForgotten(model, session) && session.lastActivity <= model.nowMs - reachMs;
}

const trim = command("trim the log", fc.constant(null), async (_, model, life) => {
  const notBeforeMs = model.nowMs - LOG_KEPT_MS;
  await life.process.store.invalidations.trim({ notBeforeMs, nowMs: Infinity, entries: 1_000_000 }, 500);
  const kept = model.stored.invalidations.findIndex(({ atMs }) => atMs >= notBeforeMs);
  model.stored.trimmed = kept < 0 ? model.cursor : kept;
});

const restart = command("restart", fc.constant(null), async (_, model, life) => {
  await life.restart();
  model.restarted();
});

export const OF_TIME = [advance, advance, advance, advance, sweep, sweep, trim, restart];
