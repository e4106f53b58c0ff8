// How many live sessions a policy would end if it took the place of another, by plan. Nothing is written.
import { isEndedByChange, plansThatEndSooner } from "../../domain/ended-by-policy.js";
import type { PolicyChange } from "../../domain/ended-by-policy.js";
import type { Session } from "../../domain/session.js";
import type { OperatorStore } from "../ports/operator-ports.js";
import type { SteadyClock } from "../ports/ports.js";
import { inSteps } from "../upkeep/in-steps.js";

/** Read at a time; other requests get their turn in between. About 1 ms. */
const SESSIONS_A_STEP = 100;

export interface EndedOfPlan {
  /** Its name in the policy that would end them. */
  readonly plan: string;
  readonly sessions: number;
}

export interface EndedSessions {
  /** In all. */
  readonly sessions: number;
  /** Plans that would lose none are left out. */
  readonly plans: readonly EndedOfPlan[];
  /** How long it took to count them. */
  readonly tookMs: number;
}

export const NONE_ENDED: EndedSessions = { sessions: 0, plans: [], tookMs: 0 };

export interface CountPorts {
  readonly operator: Pick<OperatorStore, "sessionsBefore">;
  readonly clock: SteadyClock;
}

/**
 * Looks at no session where no number of the policy became less; else at all sessions of the plans in question, about 20 s
 * for a million.
 * @param listeningMs for how long this process has been listening to edges
 * @param stopped looked at between steps; what was counted until then says nothing
 */
export async function countEndedSessions(
  ports: CountPorts,
  change: PolicyChange,
  listeningMs: number,
  stopped?: () => boolean,
): Promise<EndedSessions> {
  const { clock } = ports;
  const startedAtMs = clock.monotonicMs();
  const shortened = plansThatEndSooner(change);
  if (shortened.length === 0) return NONE_ENDED;
  const plans: EndedOfPlan[] = [];
  const nowMs = Math.max(clock.nowMs(), await newestCreatedAt(ports));
  const moment = { nowMs, elapsedMs: (sinceMs: number) => clock.elapsedMs(sinceMs), listeningMs };
  for (const { id, name } of shortened) {
    const sessions = await countOfPlan(ports, id, (one) => isEndedByChange(one, change, moment), stopped);
    if (sessions > 0) plans.push({ plan: name, sessions });
  }
  const sum = plans.reduce((count, { sessions }) => count + sessions, 0);
  return { sessions: sum, plans, tookMs: clock.monotonicMs() - startedAtMs };
}

/** By a clock that is behind, sessions look younger than they are; but none was made after now. */
async function newestCreatedAt({ operator }: CountPorts): Promise<number> {
  const [newest] = await operator.sessionsBefore({ by: "creation" }, undefined, 1);
  return newest?.createdAt ?? 0;
}

async function countOfPlan(
  { operator }: CountPorts,
  planId: number,
  isEnded: (session: Session) => boolean,
  stopped?: () => boolean,
): Promise<number> {
  let count = 0;
  await inSteps<readonly Session[], string>(
    async (before) => {
      const page = await operator.sessionsBefore({ by: "plan", planId }, before, SESSIONS_A_STEP);
      // A page may be short for a session that has just gone: only an empty one is the last.
      return { done: page, next: page.at(-1)?.id };
    },
    (page) => {
      count += page.filter(isEnded).length;
    },
    stopped,
  );
  return count;
}
