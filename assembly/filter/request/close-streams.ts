// Ending open streams whose session has ended (docs/decisions/0048-streams-end-with-their-session.md): on each tick a
// slice of them is looked up in the session table.
import { FLAG_REFRESH, FLAG_UNCONFIRMED, SWEEP_ROUND_TICKS, TICK_MS } from "../../contract";
import { ENFORCEMENT_ENFORCE, ENFORCEMENT_SHADOW, enforcementKind } from "../../domain/policy/enforcement";
import { OPEN_STREAMS_CLOSE, Policy } from "../../domain/policy/model";
import { elapsedUsSince } from "../../domain/table/bucket";
import { hasFlag, isLive, isPastEnd, recordPlanIdOf, refilledAtUsOf } from "../../domain/table/record";
import { findRecord } from "../../domain/table/set";
import { planIdOf, sessionIdOf } from "../../domain/token/token";
import { sharedValue } from "../../host/shared-data";
import { OK } from "../../host/status";
import { closeStream, enterRoot, enterStream } from "../../host/stream";
import { queueConfirmation, shouldHoldBack } from "../edge/acquire";
import { ASK_INSERTS, ASK_STREAM, findAsk, freeConfirmations } from "../edge/asks";
import { NONE } from "../edge/waiters";
import { OpenStream, forgetOpenStream, openStreamAt, openStreamEntries } from "../state/open-streams";
import { Root, rootInSlot } from "../state/roots";
import { readSet } from "../table/session-table";

/** Most requests are over by then, and cost no look. */
const MIN_AGE_US: u64 = 1000000;
/** All that the table holds is looked at within 16 ticks. A look is a read of shared data, about 1 µs. */
const LOOKS_A_TICK: u32 = 256;
/**
 * Each has Envoy end a connection or reset a stream: so many hold requests up for a few milliseconds. Envoy ends them one
 * within the other, so the number is also how deep it goes: no more than `AT_ONCE` (let-go.ts).
 */
const CLOSES_A_TICK: u32 = 100;
/** A session that could not be confirmed, or whose record the table has no room for, is asked about no more often. */
const ASK_AGAIN_US: u64 = 30000000;
/** The control plane's own idle limit ends first: an ask before it would count as activity. */
const IDLE_MARGIN_MS: u64 = 1000;

// What a look comes to.
const STAYS: u32 = 0;
const ENDS: u32 = 1;
/** Whether its session lives is for the control plane to say: the table has no record of it, or one that is in doubt. */
const ASKS: u32 = 2;
const ASKS_ON_RECORD: u32 = 3;

/** On a tick of `root`: looks at one slice of its table's streams. Returns how many were closed. */
export function closeEndedStreams(root: Root, nowUs: u64): u32 {
  let looks: u32 = 0;
  // As for unverified sessions: a control plane that is back is not flooded.
  let asks = shouldHoldBack() ? 0 : freeConfirmations();
  let closes: u32 = 0;
  let entered = false;
  const entries = openStreamEntries();
  let next = root.nextStream;
  for (let seen: u32 = 0; seen < entries && looks < LOOKS_A_TICK && closes < CLOSES_A_TICK; seen++) {
    if (next >= entries) next = 0;
    const stream = openStreamAt(next++);
    if (stream == null || elapsedUsSince(stream.openedAtUs, nowUs) < MIN_AGE_US) continue;
    const own = rootInSlot(stream.rootSlot);
    if (own != null && own.table != root.table) continue;
    looks++;
    // A client that leaves in the same turn as the answer that let it through: the stream was entered after its only
    // callback at its end. Its root may be gone too.
    if (!enterStream(stream.contextId)) {
      forgetOpenStream(stream.contextId);
      continue;
    }
    entered = true;
    const found = own == null ? STAYS : lookUp(own, stream, nowUs);
    if (found == ENDS) {
      if (close(stream)) closes++;
    } else if (found != STAYS && asks > 0 && ask(root, stream, found == ASKS, nowUs)) {
      asks--;
    }
  }
  root.nextStream = next;
  if (entered) enterRoot(root.id);
  return closes;
}

/** By its own root: a stream may outlive a change of settings. */
function lookUp(root: Root, stream: OpenStream, nowUs: u64): u32 {
  const epoch = root.epoch;
  const policy = epoch.policy;
  if (policy.openStreams != OPEN_STREAMS_CLOSE || epoch.isOff) return STAYS;
  const id = sessionIdOf(stream.token);
  const record = readSet(root.table, id) == OK ? findRecord(sharedValue(), id) : 0;
  const planIndex = policy.planIndexById(record == 0 ? planIdOf(stream.token) : recordPlanIdOf(record));
  const kind = enforcementKind(epoch.enforcementOf(stream.enforcement, planIndex));
  if (kind != ENFORCEMENT_ENFORCE && kind != ENFORCEMENT_SHADOW) return STAYS;
  // It was evicted, and nobody has marked it since.
  if (record == 0) return stream.hasEnded ? ENDS : ASKS;
  if (!isLive(record) || isPastEnd(record, nowUs)) return ENDS;
  // A session that was unknown to the control plane may be known later.
  stream.hasEnded = false;
  return isInDoubt(record, policy, nowUs) ? ASKS_ON_RECORD : STAYS;
}

/** A request of the session would have the control plane asked, and it may answer that the session has ended. */
function isInDoubt(record: usize, policy: Policy, nowUs: u64): bool {
  if (hasFlag(record, FLAG_REFRESH) || hasFlag(record, FLAG_UNCONFIRMED)) return true;
  const index = policy.planIndexById(recordPlanIdOf(record));
  if (index < 0) return false;
  // A stream is no activity: past the idle limit of the control plane, that one knows whether another edge has seen any.
  const graceMs = 2 * <u64>policy.reportIntervalMs + SWEEP_ROUND_TICKS * TICK_MS + IDLE_MARGIN_MS;
  const limitMs = unchecked(policy.plans[index]).maxAgeMs + graceMs;
  return elapsedUsSince(refilledAtUsOf(record), nowUs) > limitMs * 1000;
}

/** False: it is not due, or is being asked about already. */
function ask(root: Root, stream: OpenStream, mayInsert: bool, nowUs: u64): bool {
  if (nowUs < stream.askAfterUs) return false;
  stream.askAfterUs = nowUs + ASK_AGAIN_US;
  if (findAsk(root.id, stream.token) != NONE) return false;
  return queueConfirmation(root, stream.token, nowUs, mayInsert ? ASK_STREAM | ASK_INSERTS : ASK_STREAM);
}

/** The stream that was entered. False: it is ended by the other of two filters in one chain. */
function close(stream: OpenStream): bool {
  forgetOpenStream(stream.contextId);
  return closeStream();
}
