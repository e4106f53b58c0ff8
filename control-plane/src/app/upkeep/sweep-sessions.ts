// Use case: end sessions that are idle for too long, remove those past their end, and say how many there were.
import { setImmediate as nextTurn } from "node:timers/promises";

import type { Decision } from "../../domain/changes.js";
import { decideIdleEnds } from "../../domain/decisions/end-idle.js";
import { decideExpiry, decideRemoval } from "../../domain/decisions/forget-sessions.js";
import { idleLimitMs } from "../../domain/idleness.js";
import { planById } from "../../domain/plan.js";
import type { PlanOfPolicy, PlansOfPolicy } from "../../domain/plan.js";
import { sessionEndsAtMs } from "../../domain/session.js";
import type { Session } from "../../domain/session.js";
import { sweepAhead } from "./ahead-sessions.js";
import type { Stopped } from "./claimed-work.js";
import { endedByLifetime, endedForIdleness } from "./ended-session.js";
import { inSteps } from "./in-steps.js";
import type { Step } from "./in-steps.js";
import { idleNow } from "./idle-expiry.js";
import type { UsagePorts } from "../edges/usage.js";
import { CONSUMPTION_KEPT_MS } from "../sessions/consume-tokens.js";
import type { ActivityCursor } from "../ports/update-ports.js";

/** One step's writes hold up the event loop; measured, see test/bench/measure/measure-sweep.ts. */
const SESSIONS_A_STEP = 50;

export interface SweepResult {
  /** Sessions that ended by it: idle, or past their lifetime. */
  readonly removed: number;
  /** Sessions that are live after it. Null: it was stopped before they were counted. */
  readonly remaining: number | null;
}

export type SweepPorts = Pick<
  UsagePorts,
  "store" | "usage" | "instances" | "policies" | "clock" | "logger" | "meter" | "usageMeter"
>;

/**
 * One sweep over all sessions, in steps of one transaction each, so that others get their turn and a kill loses
 * nothing: the next sweep goes on. Undefined while no policy is loaded.
 * A session past its lifetime is removed whole. One that was revoked, or ended for idleness, is kept until no plan's
 * lifetime could make its token valid again: until then the answer to an edge says for how long it stays ended.
 * @param stopped looked at between steps
 */
export async function sweepSessions(ports: SweepPorts, stopped: Stopped): Promise<SweepResult | undefined> {
  const policy = ports.policies.current()?.policy;
  if (policy === undefined) return undefined;
  const startedAtMs = ports.clock.monotonicMs();
  const nowMs = ports.clock.nowMs();
  let removed = 0;
  for (const planId of await ports.usage.plansInUse()) {
    removed += await removeExpired(ports, planById(policy, planId), planId, nowMs, stopped);
    removed += await endIdle(ports, policy, planId, nowMs, stopped);
  }
  removed += await sweepAhead(ports, policy, nowMs, stopped);
  await forget(ports, policy, nowMs, stopped);
  ports.instances.forgetGone();
  const remaining = (await stopped()) ? null : await countLive(ports, policy, nowMs);
  const durationMs = ports.clock.monotonicMs() - startedAtMs;
  ports.usageMeter.swept(removed, durationMs);
  ports.logger.info({ event: "session-cleanup", removed, remaining, durationMs }, "sessions cleaned up");
  return { removed, remaining };
}

/** Of a plan that the policy lost each session is looked at: its lifetime at creation counts. */
function removeExpired(
  ports: SweepPorts,
  plan: PlanOfPolicy | undefined,
  planId: number,
  nowMs: number,
  stopped: Stopped,
): Promise<number> {
  const untilMs = nowMs - (plan?.lifetime ?? 0);
  const isExpired = (session: Session): boolean => sessionEndsAtMs(session, plan, nowMs) <= nowMs;
  return countEnded<string>(
    async (after) => {
      const wanted = { planId, untilMs, after, limit: SESSIONS_A_STEP };
      const { answer } = await ports.store.update("byCreation", wanted, ({ page, next }) =>
        swept(next, decideExpiry(page, isExpired)),
      );
      return answer;
    },
    (session) => {
      endedByLifetime(ports, session, sessionEndsAtMs(session, plan, nowMs));
    },
    stopped,
  );
}

/** Reaches up to those as old as the lifetime at least, so that the index loses what was removed. */
function endIdle(
  ports: SweepPorts,
  policy: PlansOfPolicy,
  planId: number,
  nowMs: number,
  stopped: Stopped,
): Promise<number> {
  const plan = planById(policy, planId);
  const untilMs = plan === undefined ? nowMs : nowMs - Math.min(idleLimitMs(policy, plan), plan.lifetime);
  const isIdle = idleNow(ports);
  return countEnded<ActivityCursor>(
    async (after) => {
      const wanted = { planId, untilMs, after, limit: SESSIONS_A_STEP };
      const { answer } = await ports.store.update("byActivity", wanted, ({ page, next }) =>
        swept(next, decideIdleEnds(page, nowMs, isIdle)),
      );
      return answer;
    },
    (session) => {
      endedForIdleness(ports, session);
    },
    stopped,
  );
}

/** The sessions that a step ended. */
type Swept<Cursor> = Step<readonly Session[], Cursor>;

const swept = <Cursor>(
  next: Cursor | undefined,
  { answer: done, changes }: Decision<readonly Session[]>,
): Decision<Swept<Cursor>> => ({ answer: { done, next }, changes });

async function countEnded<Cursor>(
  step: (after: Cursor | undefined) => Promise<Swept<Cursor>>,
  tell: (session: Session) => void,
  stopped: Stopped,
): Promise<number> {
  let count = 0;
  const counted = (sessions: readonly Session[]): void => {
    count += sessions.length;
    sessions.forEach(tell);
  };
  await inSteps(step, counted, stopped);
  return count;
}

/** What nobody needs any more: sessions long ended, and the keys of old consumptions. */
async function forget(
  { store, usage }: SweepPorts,
  policy: PlansOfPolicy,
  nowMs: number,
  stopped: Stopped,
): Promise<void> {
  const longest = Math.max(...policy.plans.map(({ lifetime }) => lifetime));
  const createdBeforeMs = nowMs - longest;
  const removeEnded = async (): Promise<number> => {
    const wanted = { createdBeforeMs, limit: SESSIONS_A_STEP };
    return (await store.update("ended", wanted, (page) => decideRemoval(page, createdBeforeMs))).answer;
  };
  const steps = [removeEnded, () => usage.forgetConsumptions(nowMs - CONSUMPTION_KEPT_MS, SESSIONS_A_STEP)];
  for (const step of steps) {
    while (!(await stopped()) && (await step()) > 0) await nextTurn();
  }
}

async function countLive({ store }: SweepPorts, policy: PlansOfPolicy, nowMs: number): Promise<number> {
  let live = 0;
  for (const { id, lifetime } of policy.plans) live += await store.countLive(id, nowMs - lifetime + 1);
  return live;
}
