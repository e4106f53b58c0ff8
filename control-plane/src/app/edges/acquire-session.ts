// Use case: the answers to an edge about sessions that its table does not hold (docs/edge-protocol.md, acquire).
import { isSameInstance } from "../../domain/stored.js";
import type { Instance, LogPosition } from "../../domain/stored.js";
import { UNKNOWN_REMEMBERED_MS } from "../../../../assembly/contract.js";
import { planById } from "../../domain/plan.js";
import type { PlansOfPolicy } from "../../domain/plan.js";
import { decideAcquire } from "../../domain/decisions/acquire-session.js";
import type { HeldWithRows } from "../../domain/decisions/acquire-session.js";
import { knownOf } from "../../domain/decisions/hold-session.js";
import type { HoldChoice, HoldState, Known } from "../../domain/decisions/hold-session.js";
import { isPastIdleLimit } from "../../domain/idleness.js";
import { sessionState } from "../../domain/session.js";
import type { Session } from "../../domain/session.js";
import { endedForIdleness } from "../upkeep/ended-session.js";
import { idleMoment, idleNowAt } from "../upkeep/idle-expiry.js";
import { isNotWritten } from "../ports/not-written.js";
import type { NotWritten } from "../ports/not-written.js";
import type { SteadyClock } from "../ports/ports.js";
import { bucketsOf, levelsNow } from "./levels.js";
import { ofOneLog } from "./of-one-log.js";
import type { HeldOrSeen } from "./of-one-log.js";
import { reportedRow } from "./report-usage.js";
import type { MalformedRow, RowOfReport } from "./report-usage.js";
import { budgetsOf, endForEdgesMs, lastFigures, liveForEdges, noteReported } from "./usage.js";
import type { UsagePorts } from "./usage.js";
import { rowsThatCount } from "./usage-commits.js";

export interface LiveAnswer extends LogPosition {
  readonly state: "live";
  /** Plan id. The filter answers 503 for one that its policy lacks. */
  readonly plan: number;
  readonly endsInMs: number;
  /** Microtokens in the bucket now, rounded down; below 0 it owes. */
  readonly level: number;
  /** The same of further limits, by name: each that a figure is known of. All others are full. */
  readonly levels?: Readonly<Record<string, number>>;
  /** Tokens spent at this instance, as far as it has reported. */
  readonly consumed: number;
  readonly rev: number;
  readonly budgetSpent: boolean;
}

export interface EndedAnswer extends LogPosition {
  readonly state: "revoked" | "expired" | "unknown";
  /** How long the edge may hold on to that. */
  readonly endsInMs: number;
  /** As of a live one: an edge that admitted the session unverified adds its own figures to these. */
  readonly consumed: number;
  readonly rev: number;
}

/** It is live as far as is known, and cannot be held: the store takes no writes, or others wrote it first each time. */
export interface UnavailableAnswer extends LogPosition {
  readonly state: "unavailable";
}

/** With the generation that the edge is offered: a worker on a lower one waits for it where it does not know the plan. */
export type Acquired = (LiveAnswer | EndedAnswer | UnavailableAnswer) & { readonly generation: number };

/** What an asker says of sessions that it asks about. What it says of others it says again in a report. */
export interface SpentAtAsker {
  readonly rows: readonly RowOfReport[];
  readonly malformed: readonly MalformedRow[];
}

const NOTHING_SAID: SpentAtAsker = { rows: [], malformed: [] };

/**
 * The answers in the order of the sessions, or undefined while no policy is loaded: then nothing can be said, and the edge
 * goes by its own rules. A live session counts as active. Each position is of the very moment at which its session was
 * looked at, and all are of one log: an invalidation after it has a higher number than the answer carries, and the edge asks
 * again; that of a revoked one covers the revocation itself. Also where a session cannot be written, it is answered if it is over: no
 * edge may admit it unverified.
 * @throws NotWritten where none of the sessions can be written, and none is over
 */
export async function acquireSessions(
  ports: UsagePorts,
  ids: readonly string[],
  asker: Instance,
  { rows, malformed }: SpentAtAsker = NOTHING_SAID,
): Promise<readonly Acquired[] | undefined> {
  const active = ports.policies.published(asker.edge);
  if (active === undefined) {
    ids.forEach(() => {
      ports.meter.acquired("unavailable");
    });
    return undefined;
  }
  const { policy, generation } = active;
  ports.instances.acquired(asker);
  ports.droppedRows.note(malformed.map((row) => ({ ...asker, ...row })));
  const spentOf = (id: string): readonly RowOfReport[] => rows.filter(({ sessionId }) => sessionId === id);
  const found = await ofOneLog(ports, ids, (id) => holdOrLook(ports, id, asker, spentOf(id)));
  const answers = found.map((one) => {
    const answer = validate(one, asker, policy, ports.clock);
    return answer.state === "live" && one.failure !== undefined ? unavailable(one) : answer;
  });
  for (const { state } of answers) ports.meter.acquired(state);
  const { failure } = found.find((one) => one.failure !== undefined) ?? {};
  if (failure !== undefined && answers.every(({ state }) => state === "unavailable")) throw failure;
  return answers.map((answer) => ({ ...answer, generation }));
}

const unavailable = ({ position }: Known): UnavailableAnswer => ({ state: "unavailable", ...position });

/** The same for one session. */
export async function acquireSession(ports: UsagePorts, id: string, asker: Instance): Promise<Acquired | undefined> {
  return (await acquireSessions(ports, [id], asker))?.[0];
}

async function holdOrLook(
  ports: UsagePorts,
  id: string,
  asker: Instance,
  spent: readonly RowOfReport[],
): Promise<HeldOrSeen> {
  try {
    // Whoever revokes at another process waits for edges that are known there: so this one is, before it is given a session.
    const known = ports.instances.knownElsewhere(asker);
    if (known !== undefined) await known;
    return await hold(ports, id, asker, spent);
  } catch (failure) {
    if (!isNotWritten(failure)) throw failure;
    return { ...(await seen(ports, id, failure)), failure };
  }
}

/** Reads fail too where the store's engine has given up: then nothing can be said. */
async function seen(ports: UsagePorts, id: string, failure: NotWritten): Promise<Known> {
  try {
    return knownOf(await ports.usage.look(id));
  } catch {
    throw failure;
  }
}

/**
 * The session as stored, with what instances reported of it, and held by the asker if it is live. It is looked at in the very
 * commit that notes that: a look before it would cost each acquire a second read
 * (docs/decisions/0030-one-look-an-acquire.md). How instances stand matters only to a session past its idle limit.
 */
async function hold(ports: UsagePorts, id: string, asker: Instance, spent: readonly RowOfReport[]): Promise<Known> {
  const nowMs = ports.clock.nowMs();
  const isLive = liveForEdges(ports.policies, ports.clock);
  const moment = idleMoment(ports);
  const rows = rowsThatCount(spent.map((row) => reportedRow(row, asker, nowMs)));
  const acquisition = { asker, atMs: nowMs, rows, budgets: budgetsOf(ports.policies.current()?.policy) };
  const heldBy = async (choose: (one: Session, holders: readonly Instance[]) => HoldChoice): Promise<HeldWithRows> => {
    const decide = (state: HoldState) =>
      decideAcquire(state, acquisition, (one, of) => (isLive(one) ? choose(one, of) : "over"));
    const { answer } = await ports.store.update("session", id, decide);
    if (answer.reported !== undefined) noteReported(ports, answer.reported);
    return answer;
  };
  let held = await heldBy((one) => (isPastIdleLimit(one, moment) ? "unsure" : "hold"));
  if (held.outcome === "unsure") {
    const isIdle = idleNowAt(ports, held.rows);
    held = await heldBy((one, holders) => (isIdle(one, holders) ? "end" : "hold"));
  }
  if (held.outcome === "ended" && held.session !== undefined) endedForIdleness(ports, held.session);
  return held;
}

function validate(
  { session, rows, position }: Known,
  asker: Instance,
  policy: PlansOfPolicy,
  clock: SteadyClock,
): LiveAnswer | EndedAnswer {
  if (session === undefined) {
    return { state: "unknown", endsInMs: UNKNOWN_REMEMBERED_MS, consumed: 0, rev: 0, ...position };
  }
  const nowMs = clock.nowMs();
  const plan = planById(policy, session.plan.id);
  const endsAtMs = endForEdgesMs(session, plan, clock);
  const endsInMs = Math.max(0, endsAtMs - nowMs);
  const state = sessionState(session, endsAtMs, nowMs);
  const { figures: own } = rows.find((row) => isSameInstance(row, asker)) ?? { figures: null };
  const { consumed, rev } = own ?? { consumed: 0, rev: 0 };
  if (state !== "live") return { state, endsInMs, consumed, rev, ...position };
  const figures = own ?? lastFigures(rows, asker.edge, nowMs);
  const levels = levelsNow({ edge: asker.edge, buckets: bucketsOf(session, plan), figures, rows }, clock);
  const budgetSpent = typeof plan?.tokenBudget === "number" && session.tokens.consumed >= plan.tokenBudget;
  return { state, plan: session.plan.id, endsInMs, ...levels, consumed, rev, budgetSpent, ...position };
}
