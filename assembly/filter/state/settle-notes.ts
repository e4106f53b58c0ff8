// The streams of this VM whose response says what their request cost: a fixed table that is never overwritten. A note is
// taken when the request is let through, and given back when it is settled, or its stream has ended.
import { MAX_SETTLE_NOTES, MAX_SETTLE_NOTES_OF_SESSION, TOKEN_BYTES } from "../../contract";
import { SettleRule, SettleRules } from "../../domain/usage/settle-rules";
import { EVENT_USAGE_BYTES, EventUsage } from "../../domain/usage/event-usage";
import { JsonUsage } from "../../domain/usage/json-usage";
import { SHARES_BYTES, shareOf } from "./session-shares";

//   notes:  1 … MAX_SETTLE_NOTES; those that are free are a chain, and so are those of each head
//   heads:  u16 for each of the low bits of a context id
//   shares: how many notes each session has (session-shares.ts)

// What of the response is read.
/** Nothing more. */
export const READS_NOTHING: u8 = 0;
export const READS_JSON: u8 = 1;
export const READS_EVENTS: u8 = 2;

/** A view of static memory. */
@unmanaged
export class SettleNote {
  /** Of USAGE_FOUND: the value in millionths. */
  micro: u64;
  /** 0: the note is free. */
  contextId: u32;
  /** Of the stream's root (roots.ts). */
  rootSlot: u32;
  /** The next note of its chain; 0: none. */
  next: u32;
  /**
   * Addresses of the route's rule and of the SettleRules object that owns it. To the garbage collector these are mere
   * numbers: `keptRules` keeps the object alive.
   */
  ruleAt: usize;
  rulesAt: usize;
  /** Tokens that were taken when the request was let through. */
  reserved: u32;
  /** The plan's limits then (limits-tag.ts), of which `limit` is one; 0 is the plan's own bucket. */
  tag: u32;
  planId: u16;
  limit: u8;
  /** READS_…. */
  reads: u8;
  /** USAGE_…, where the response is read at once or has been read. */
  found: u8;
  /** The answer cannot be read: it is compressed. */
  isCompressed: bool;
  /** The answer is the service's, not Envoy's own. */
  isOfService: bool;
  /** All that the response says has been read, but the write was lost: ticks try again (lost-notes.ts). */
  isOver: bool;

  /** Address of the session's TOKEN_BYTES. */
  @inline
  get token(): usize {
    return changetype<usize>(this) + offsetof<SettleNote>();
  }

  get rule(): SettleRule {
    return changetype<SettleRule>(this.ruleAt);
  }


  @inline
  get json(): JsonUsage {
    return changetype<JsonUsage>(changetype<usize>(this) + USAGE_AT);
  }


  @inline
  get events(): EventUsage {
    return changetype<EventUsage>(changetype<usize>(this) + USAGE_AT);
  }
}

/** Whole u64s, so that each part is aligned. The state of a JSON document is the smaller of the two. */
const USAGE_AT: u32 = (<u32>offsetof<SettleNote>() + TOKEN_BYTES + 7) & ~7;
const NOTE_BYTES: u32 = USAGE_AT + EVENT_USAGE_BYTES;
const notes: usize = memory.data((MAX_SETTLE_NOTES + 1) * NOTE_BYTES, 8);
const heads: usize = memory.data(MAX_SETTLE_NOTES * 2, 2);
const shares: usize = memory.data(SHARES_BYTES, 2);
let firstFree: u32 = 0;
/** The highest number that was ever used. */
let highest: u32 = 0;
/** Those that have streams to settle, also of policies that are no longer in force: notes alone keep nothing alive. */
let keptRules: SettleRules | null = null;

// @ts-ignore: decorator
@inline
function headOf(contextId: u32): usize {
  return heads + ((contextId & (MAX_SETTLE_NOTES - 1)) << 1);
}

// @ts-ignore: decorator
@inline
function noteAt(number: u32): SettleNote {
  return changetype<SettleNote>(notes + number * NOTE_BYTES);
}

/** Whether a stream of this token's session can have a note. */
export function hasNoteFor(token: usize): bool {
  if (firstFree == 0 && highest == MAX_SETTLE_NOTES) return false;
  return load<u16>(shareOf(shares, token)) < MAX_SETTLE_NOTES_OF_SESSION;
}

/** Takes a note for a stream, where it can have one. Its fields but for token and rule are the caller's. */
export function openNote(contextId: u32, token: usize, rules: SettleRules, ruleAt: usize): SettleNote {
  let number = firstFree;
  if (number == 0) number = ++highest;
  else firstFree = noteAt(number).next;
  const note = noteAt(number);
  memory.fill(changetype<usize>(note), 0, USAGE_AT);
  const head = headOf(contextId);
  note.contextId = contextId;
  note.next = load<u16>(head);
  note.ruleAt = ruleAt;
  note.rulesAt = changetype<usize>(rules);
  store<u16>(head, <u16>number);
  memory.copy(note.token, token, TOKEN_BYTES);
  const share = shareOf(shares, token);
  store<u16>(share, load<u16>(share) + 1);
  rules.open++;
  if (!rules.isKept) {
    rules.isKept = true;
    rules.next = keptRules;
    keptRules = rules;
  }
  return note;
}

/** Null: the stream settles nothing, or has been settled. */
export function noteOfStream(contextId: u32): SettleNote | null {
  let number: u32 = load<u16>(headOf(contextId));
  while (number != 0) {
    const note = noteAt(number);
    if (note.contextId == contextId) return note;
    number = note.next;
  }
  return null;
}

/** Gives the stream's note back. */
export function closeNote(contextId: u32): void {
  const head = headOf(contextId);
  let before: u32 = 0;
  let number: u32 = load<u16>(head);
  while (number != 0 && noteAt(number).contextId != contextId) {
    before = number;
    number = noteAt(number).next;
  }
  if (number == 0) return;
  const note = noteAt(number);
  if (before == 0) store<u16>(head, <u16>note.next);
  else noteAt(before).next = note.next;
  const share = shareOf(shares, note.token);
  store<u16>(share, load<u16>(share) - 1);
  changetype<SettleRules>(note.rulesAt).open--;
  note.contextId = 0;
  note.next = firstFree;
  firstFree = number;
}

/** How many there are to look at, free ones among them. */
export function noteEntries(): u32 {
  return highest;
}

/** The note in an entry, from 0; null if it is free. */
export function noteAtIndex(index: u32): SettleNote | null {
  const note = noteAt(index + 1);
  return note.contextId == 0 ? null : note;
}

/** Lets go of the rules that have no stream to settle any more. When a policy comes into force. */
export function dropClosedRules(): void {
  let rules = keptRules;
  keptRules = null;
  while (rules !== null) {
    const next = rules.next;
    rules.isKept = rules.open != 0;
    rules.next = null;
    if (rules.isKept) {
      rules.next = keptRules;
      keptRules = rules;
    }
    rules = next;
  }
}
