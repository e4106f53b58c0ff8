// The sessions under fleet plans that this VM spends on: how fast they are used, what their requests cost, and which of them
// run low. A fixed table; where a session finds no room it asks when it has to. Ticks look through it (edge/lease-tick.ts).
import { LEASE_WANT_MS, MAX_LIMITS_OF_PLAN, SESSION_ID_BYTES, TOKEN_BYTES } from "../../contract";
import { sameTokens, sessionIdOf } from "../../domain/token/token";

/** A power of two. */
export const LEASE_NOTES: u32 = 1024;
/** Slots that are looked at for a session, from its own on. */
const PROBES: u32 = 8;
export const BUCKETS: u32 = <u32>MAX_LIMITS_OF_PLAN + 1;
/** How fast a session is used is looked at so often, */
const LOOK_US: u64 = 100000;
/** and sooner, where an ask needs to know. */
const QUICK_LOOK_US: u64 = 20000;
/** At least so many are wanted: how fast a session is used is seen only when some have come. */
export const WANT_LEAST: u32 = 4;
/** After so many requests did not come, a session is idle; sooner or later than this never. */
const IDLE_REQUESTS: u64 = 8;
const IDLE_LEAST_US: u64 = 200000;
const IDLE_MOST_US: u64 = 1500000;
/** A lease is renewed where it may end before the request after the next. */
const LEAD_MOST_MS: u64 = 1500;
/** After so long, what was before counts no more. */
const FORGET_US: u64 = 1000000;
const PER_SECOND: u64 = 1000000;
/** Of one look: more than any session has. × 10^12 it is a u64. */
const MAX_REQUESTS: u64 = 1000000;

/** A view of static memory. */
@unmanaged
export class LeaseNote {
  /** When the use was looked at, monotonic µs, and the record's rev then. */
  lookedAtUs: u64;
  /** When this VM admitted or held a request of the session. */
  usedAtUs: u64;
  /** Until when a request was refused here last; 0: none was. */
  refusedUntilUs: u64;
  /** Requests a second, in millionths. */
  rate: u64;
  /** Which table's session it is (Table.hash); 0: the note is free. */
  tableHash: u32;
  rev: u32;
  /** Requests since then that no rev tells of: they found no lease here. */
  missed: u32;
  /** Of the annex whose buckets the costs are of. */
  tag: u32;
  planId: u32;
  /** It runs low: the next tick asks. */
  isDue: bool;
  /** Nobody has spent since what was left went back. */
  isIdle: bool;
  /** Something that was settled waits. */
  hasSettled: bool;

  /** Address of the session's TOKEN_BYTES. */
  @inline
  get token(): usize {
    return changetype<usize>(this) + TOKEN_AT;
  }

  /** Address of u32 × BUCKETS: what its last request took from each, tokens. 0: nothing. */
  @inline
  get costs(): usize {
    return changetype<usize>(this) + COSTS_AT;
  }

  /** Address of u64 × BUCKETS: whole tokens that reservations did not need, and that no ask has said yet. */
  @inline
  get settled(): usize {
    return changetype<usize>(this) + SETTLED_AT;
  }
}

const TOKEN_AT: u32 = offsetof<LeaseNote>();
const COSTS_AT: u32 = (TOKEN_AT + TOKEN_BYTES + 7) & ~7;
const SETTLED_AT: u32 = COSTS_AT + BUCKETS * 4;
const NOTE_BYTES: u32 = SETTLED_AT + BUCKETS * 8;
const notes: usize = memory.data(LEASE_NOTES * NOTE_BYTES, 8);
/** One more than the highest number that was ever used. */
let used: u32 = 0;

/** How many notes there are to look at, free ones among them. */
export function leaseNotes(): u32 {
  return used;
}

export function leaseNoteAt(number: u32): LeaseNote {
  return changetype<LeaseNote>(notes + number * NOTE_BYTES);
}

/** The session's note, or null. */
export function findLeaseNote(tableHash: u32, token: usize): LeaseNote | null {
  for (let probe: u32 = 0; probe < PROBES; probe++) {
    const note = leaseNoteAt(slotOf(token, probe));
    if (note.tableHash == tableHash && sameTokens(note.token, token)) return note;
  }
  return null;
}

/** The session's note, made if there is none and there is room. */
export function leaseNoteFor(
  tableHash: u32,
  token: usize,
  planId: u32,
  tag: u32,
  rev: u32,
  nowUs: u64,
): LeaseNote | null {
  const known = findLeaseNote(tableHash, token);
  if (known != null && known.tag == tag) return known;
  const note = known != null ? known : roomFor(token);
  if (note == null) return null;
  memory.fill(changetype<usize>(note), 0, NOTE_BYTES);
  note.tableHash = tableHash;
  note.planId = planId;
  note.tag = tag;
  note.rev = rev;
  note.lookedAtUs = nowUs;
  memory.copy(note.token, token, TOKEN_BYTES);
  return note;
}

export function freeLeaseNote(note: LeaseNote): void {
  note.tableHash = 0;
  note.isDue = false;
}

/** A free one, or that of the session which was used the longest ago and has nothing to say. */
function roomFor(token: usize): LeaseNote | null {
  let found: u32 = LEASE_NOTES;
  for (let probe: u32 = 0; probe < PROBES; probe++) {
    const slot = slotOf(token, probe);
    const note = leaseNoteAt(slot);
    if (note.tableHash == 0) {
      found = slot;
      break;
    }
    if (note.hasSettled) continue;
    if (found == LEASE_NOTES || note.usedAtUs < leaseNoteAt(found).usedAtUs) found = slot;
  }
  if (found == LEASE_NOTES) return null;
  used = max(used, found + 1);
  return leaseNoteAt(found);
}

/** The last bytes of a session id are random. */
function slotOf(token: usize, probe: u32): u32 {
  return (load<u32>(sessionIdOf(token), SESSION_ID_BYTES - 4) + probe) & (LEASE_NOTES - 1);
}

/** Looks how fast the session is used, if the last look is long enough ago. @param rev the record's */
export function lookAtUse(note: LeaseNote, rev: u32, nowUs: u64): void {
  if (nowUs > note.lookedAtUs && nowUs - note.lookedAtUs >= LOOK_US) look(note, rev, nowUs);
}

function look(note: LeaseNote, rev: u32, nowUs: u64): void {
  const elapsedUs = nowUs - note.lookedAtUs;
  // A record that was made again may have a lower one.
  const admitted = rev > note.rev ? rev - note.rev : 0;
  const requests = min(<u64>admitted + note.missed, MAX_REQUESTS);
  const rate = (requests * PER_SECOND * PER_SECOND) / elapsedUs;
  note.rate = note.rate == 0 || elapsedUs > FORGET_US ? rate : (note.rate + rate) / 2;
  note.rev = rev;
  note.missed = 0;
  note.lookedAtUs = nowUs;
}

/** Requests of the session that LEASE_WANT_MS sees here, rounded up; at least those that wait. */
export function wantedRequests(note: LeaseNote, rev: u32, waiting: u32, nowUs: u64): u64 {
  if (nowUs > note.lookedAtUs && nowUs - note.lookedAtUs >= QUICK_LOOK_US) look(note, rev, nowUs);
  const perWant = (note.rate * LEASE_WANT_MS) / 1000;
  return max((perWant + PER_SECOND - 1) / PER_SECOND, <u64>max(waiting, WANT_LEAST));
}

/** Requests that so many ms see at the present rate, rounded up. */
export function requestsIn(note: LeaseNote, ms: u32): u64 {
  return (note.rate * ms + PER_SECOND * 1000 - 1) / (PER_SECOND * 1000);
}

/** Whether requests are refused here that will be worth an ask in a moment: it may as well go with another one. */
export function endsRefusing(note: LeaseNote, nowUs: u64, withinUs: u64): bool {
  const untilUs = note.refusedUntilUs;
  if (untilUs == 0 || nowUs + withinUs < untilUs) return false;
  return nowUs < untilUs + withinUs && nowUs < note.usedAtUs + withinUs;
}

/** For how long nobody spends before what is left goes back, µs: the faster a session is used, the sooner it is idle. */
export function idleAfterUs(note: LeaseNote): u64 {
  if (note.rate == 0) return IDLE_MOST_US;
  return min(max((IDLE_REQUESTS * PER_SECOND * PER_SECOND) / note.rate, IDLE_LEAST_US), IDLE_MOST_US);
}

/** So long before a lease ends it is renewed, ms: at least `leastMs`, and longer where requests come seldom. */
export function renewAheadMs(note: LeaseNote, leastMs: u32): u32 {
  if (note.rate == 0) return leastMs;
  return <u32>max(min((1500 * PER_SECOND) / note.rate, LEAD_MOST_MS), leastMs);
}

/** Takes what was settled out of the note: u64 × BUCKETS at `target`, whole tokens. */
export function takeSettled(note: LeaseNote, target: usize): void {
  memory.copy(target, note.settled, BUCKETS * 8);
  memory.fill(note.settled, 0, BUCKETS * 8);
  note.hasSettled = false;
}

/** Adds what a reservation did not need. */
export function addSettled(note: LeaseNote, bucket: u32, tokens: u64): void {
  const at = note.settled + (bucket << 3);
  store<u64>(at, load<u64>(at) + tokens);
  note.hasSettled = true;
}
