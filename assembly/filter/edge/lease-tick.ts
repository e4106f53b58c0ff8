// What ticks do for leases: they ask for sessions that run low before a request has to wait, and give back what nobody spends.
import { LEASE_TTL_MS, MAX_LEASE_ASKS } from "../../contract";
import { elapsedUsSince } from "../../domain/table/bucket";
import { ASK_AHEAD, ASK_RETURN, LEASE_EARLY_MS, LEASE_LEAD_MS } from "../state/lease-ask";
import {
  BUCKETS,
  LeaseNote,
  freeLeaseNote,
  endsRefusing,
  idleAfterUs,
  leaseNoteAt,
  leaseNotes,
  renewAheadMs,
  requestsIn,
} from "../state/lease-notes";
import { Root } from "../state/roots";
import { findLeaseAsk, leaseAskAt, openLeaseAsk } from "./lease-asks";
import { NONE } from "./waiters";

/** In a lease's time. */
const USED_MUCH: u64 = 16;
const GIVE_UP_US: u64 = 10000000;

/** Opens asks for sessions of the root's table that run low, or that nobody uses any more; `sendLeases` sends them. */
export function askAhead(root: Root, nowUs: u64): void {
  const notes = leaseNotes();
  let opened: u32 = 0;
  for (let number: u32 = 0; number < notes && opened < MAX_LEASE_ASKS; number++) {
    const note = leaseNoteAt(number);
    if (note.tableHash != root.table.hash) continue;
    if (note.isDue || endsRefusing(note, nowUs, <u64>LEASE_EARLY_MS * 1000)) {
      note.isDue = false;
      if (open(root, note, ASK_AHEAD)) opened++;
    } else {
      const unusedUs = elapsedUsSince(note.usedAtUs, nowUs);
      if (!note.isIdle && unusedUs >= idleAfterUs(note) && open(root, note, ASK_RETURN)) opened++;
      // What could not be said for so long is given up: its plan is another one by now.
      if (unusedUs >= GIVE_UP_US) freeLeaseNote(note);
    }
  }
}

/** The same, of sessions that are refused requests until a moment from now: what is sent anyway takes them along. */
export function askSoon(root: Root, nowUs: u64): void {
  const notes = leaseNotes();
  for (let number: u32 = 0; number < notes; number++) {
    const note = leaseNoteAt(number);
    if (note.tableHash != root.table.hash) continue;
    if (!note.isDue && !endsRefusing(note, nowUs, <u64>LEASE_EARLY_MS * 1000)) continue;
    note.isDue = false;
    open(root, note, ASK_AHEAD);
  }
}

/** False: this worker asks about the session already, or too many are asked about. */
function open(root: Root, note: LeaseNote, why: u8): bool {
  if (findLeaseAsk(root.id, note.token) != NONE) return false;
  note.refusedUntilUs = 0;
  const number = openLeaseAsk(root.id, note.token, why, note.planId, note.tag);
  if (number == NONE) return false;
  const ask = leaseAskAt(number);
  memory.copy(ask.costs, note.costs, BUCKETS * 4);
  if (why == ASK_RETURN) {
    ask.idleMs = <u32>(idleAfterUs(note) / 1000);
    ask.hasUsed = requestsIn(note, LEASE_TTL_MS) >= USED_MUCH;
  } else {
    ask.lead = <u32>requestsIn(note, LEASE_LEAD_MS);
    ask.leadMs = renewAheadMs(note, LEASE_LEAD_MS);
  }
  return true;
}
