// Use case: the answers to an edge about sessions that its table does not hold (docs/edge-protocol.md, acquire).
import type { Instance } from "../../domain/stored.js";
import { decideAcquire } from "../../domain/decisions/acquire-session.js";
import type { HeldWithRows } from "../../domain/decisions/acquire-session.js";
import { knownOf } from "../../domain/decisions/hold-session.js";
import type { HoldChoice, HoldState, Known } from "../../domain/decisions/hold-session.js";
import { isPastIdleLimit } from "../../domain/idleness.js";
import type { Session } from "../../domain/session.js";
import { endedForIdleness } from "../upkeep/ended-session.js";
import { idleMoment, idleNowAt } from "../upkeep/idle-expiry.js";
import { isNotWritten } from "../ports/not-written.js";
import type { NotWritten } from "../ports/not-written.js";
import type { LeaseAsk } from "../../domain/leases/lease-ask.js";
import { answerAbout } from "./acquired.js";
import type { Acquired, UnavailableAnswer } from "./acquired.js";
import { learnClocks, leaseTerms, noteLeased } from "./lease-commits.js";
import type { LeaseWish } from "./lease-tokens.js";
import { ofOneLog } from "./of-one-log.js";
import type { HeldOrSeen } from "./of-one-log.js";
import { reportedRow } from "./report-usage.js";
import type { MalformedRow, RowOfReport } from "./report-usage.js";
import { liveForEdges } from "./session-ends.js";
import { budgetsOf, noteReported } from "./usage.js";
import type { UsagePorts } from "./usage.js";
import { rowsThatCount } from "./usage-commits.js";

/** What an asker says of sessions that it asks about. What it says of others it says again in a report. */
export interface SaidByAsker {
  readonly rows: readonly RowOfReport[];
  readonly malformed: readonly MalformedRow[];
  /** By session id what it wants of the fleet budget, if there is one. */
  readonly leases?: ReadonlyMap<string, LeaseWish>;
}

const NOTHING_SAID: SaidByAsker = { rows: [], malformed: [] };

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
  { rows, malformed, leases }: SaidByAsker = NOTHING_SAID,
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
  const asked = ids.map((id): SaidOfOne => {
    return { id, asker, spent: rows.filter(({ sessionId }) => sessionId === id), lease: leases?.get(id) };
  });
  const found = await ofOneLog(ports, asked, (one) => holdOrLook(ports, one));
  const answers = found.map((one) => {
    const answer = answerAbout(one, asker, policy, ports.clock);
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

/** A session that is asked about, and all that its asker says of it. */
interface SaidOfOne {
  readonly id: string;
  readonly asker: Instance;
  readonly spent: readonly RowOfReport[];
  readonly lease: LeaseWish | undefined;
}

async function holdOrLook(ports: UsagePorts, said: SaidOfOne): Promise<HeldOrSeen> {
  try {
    // Whoever revokes at another process waits for edges that are known there: so this one is, before it is given a session.
    const known = ports.instances.knownElsewhere(said.asker);
    if (known !== undefined) await known;
    return await hold(ports, said);
  } catch (failure) {
    if (!isNotWritten(failure)) throw failure;
    return { ...(await seen(ports, said.id, failure)), failure };
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
async function hold(ports: UsagePorts, { id, asker, spent, lease }: SaidOfOne): Promise<HeldOrSeen> {
  const nowMs = ports.clock.nowMs();
  const isLive = liveForEdges(ports.policies, ports.clock);
  const moment = idleMoment(ports);
  const rows = rowsThatCount(spent.map((row) => reportedRow(row, asker, nowMs)));
  const budgets = budgetsOf(ports.policies.current()?.policy);
  const terms = leaseTerms(ports);
  const wish = lease && { ask: firstAsk(asker, lease), terms };
  const acquisition = { asker, atMs: nowMs, rows, budgets, lease: wish };
  const heldBy = async (choose: (one: Session, holders: readonly Instance[]) => HoldChoice): Promise<HeldWithRows> => {
    const decide = (state: HoldState) => {
      learnClocks(ports.fleetClock, state.found?.budget);
      return decideAcquire(state, acquisition, (one, of) => (isLive(one) ? choose(one, of) : "over"));
    };
    const { answer } = await ports.store.update("session", id, decide);
    if (answer.reported !== undefined) noteReported(ports, answer.reported);
    if (answer.leased !== undefined) noteLeased(ports, answer.leased);
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

/** Of a table that has nothing of the session: no former lease, and no number. */
const firstAsk = (asker: Instance, wish: LeaseWish): LeaseAsk => ({
  ...{ edge: asker.edge, instance: asker.instance, ask: 0, applied: 0 },
  ...{ left: {}, back: {}, settled: {}, ...wish },
});
