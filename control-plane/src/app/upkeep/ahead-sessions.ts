// Sessions that a clock far ahead created: their ids lie past all pages by time, so they are walked by themselves.
import { decideAhead, decideForgettingAhead } from "../../domain/decisions/ahead-sessions.js";
import { planById } from "../../domain/plan.js";
import type { PlansOfPolicy } from "../../domain/plan.js";
import { IDS_AHEAD_MS } from "../../domain/session-id.js";
import { sessionEndsAtMs } from "../../domain/session.js";
import type { Logger, Meter } from "../ports/ports.js";
import type { Updates } from "../ports/update-ports.js";
import type { Stopped } from "./claimed-work.js";
import { endedByLifetime } from "./ended-session.js";
import { inSteps } from "./in-steps.js";

const SESSIONS_A_STEP = 50;

interface AheadPorts {
  readonly store: Updates;
  readonly logger: Logger;
  readonly meter: Meter;
}

/** Their lifetime counts from when they are first met here. Answers how many it ended. */
export async function sweepAhead(
  ports: AheadPorts,
  policy: PlansOfPolicy,
  nowMs: number,
  stopped: Stopped,
): Promise<number> {
  const endsAtMs = (session: Parameters<typeof sessionEndsAtMs>[0]): number =>
    sessionEndsAtMs(session, planById(policy, session.plan.id), nowMs);
  const longestLifetimeMs = Math.max(...policy.plans.map(({ lifetime }) => lifetime));
  let noticed = 0;
  let ended = 0;
  await inSteps<ReturnType<typeof decideAhead>["answer"], string>(
    async (after) => {
      const wanted = { createdAfterMs: nowMs + IDS_AHEAD_MS, after, limit: SESSIONS_A_STEP };
      const { answer } = await ports.store.update("createdAfter", wanted, ({ page, next }) => {
        const { answer: done, changes } = decideAhead(page, { nowMs, endsAtMs, longestLifetimeMs });
        return { answer: { done, next }, changes };
      });
      return answer;
    },
    ({ noticed: more, expired }) => {
      noticed += more;
      ended += expired.length;
      for (const session of expired) endedByLifetime(ports, session, nowMs);
    },
    stopped,
  );
  if (noticed > 0) {
    const fields = { event: "sessions-ahead", sessions: noticed };
    const what = "sessions were created by a clock that is far ahead of this one: their lifetime counts from now on";
    ports.logger.error(fields, `${noticed} ${what}`);
  }
  return ended;
}

/** Of those that were met so long ago, address and user agent go. */
export async function forgetDetailsAhead(
  store: Updates,
  nowMs: number,
  noticedBeforeMs: number,
  stopped: Stopped,
): Promise<void> {
  await inSteps<undefined, string>(
    async (after) => {
      const wanted = { createdAfterMs: nowMs + IDS_AHEAD_MS, after, limit: SESSIONS_A_STEP };
      const { answer } = await store.update("createdAfter", wanted, ({ page, next }) => {
        const { answer: done, changes } = decideForgettingAhead(page, noticedBeforeMs);
        return { answer: { done, next }, changes };
      });
      return answer;
    },
    () => undefined,
    stopped,
  );
}
