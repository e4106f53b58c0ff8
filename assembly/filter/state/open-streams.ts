// The streams of this VM that are open, each with its session: a fixed table, so that ticks can end those whose session
// has ended (request/close-streams.ts). Entered when a request is let through, left at the stream's end, both in a few
// steps whatever the table holds.
import { MAX_OPEN_STREAMS, MAX_OPEN_STREAMS_OF_SESSION, TOKEN_BYTES } from "../../contract";
import { sessionIdOf } from "../../domain/token/token";
import { rootInSlot } from "./roots";
import { SHARES_BYTES, shareOf } from "./session-shares";
import { Table } from "./table";

//   entries:  1 … MAX_OPEN_STREAMS, of 72 bytes; those that are free are a chain, and so are those of each head
//   heads:    u16 for each of the low bits of a context id: the host counts context ids up, so they spread evenly
//   shares:   how many streams each session has open (session-shares.ts)

/** An entry: a view of static memory. */
@unmanaged
export class OpenStream {
  /** 0: the entry is free. */
  contextId: u32;
  /** Of the stream's root (roots.ts), which lives for as long as the stream. */
  rootSlot: u32;
  /** The next entry of its chain; 0: none. */
  next: u32;
  /** The control plane has answered that the session has ended. */
  hasEnded: bool;
  /** The kind of its route's enforcement, or ENFORCEMENT_INHERITED. */
  enforcement: u8;
  /** Monotonic µs of the decision that let it through. */
  openedAtUs: u64;
  /** The control plane is not asked about its session before this. */
  askAfterUs: u64;

  /** Address of the TOKEN_BYTES with which it was opened: they stand behind the fields. */
  @inline
  get token(): usize {
    return changetype<usize>(this) + offsetof<OpenStream>();
  }
}

/** Whole u64s, so that each entry's are aligned. */
const ENTRY_BYTES: u32 = (<u32>offsetof<OpenStream>() + TOKEN_BYTES + 7) & ~7;
const entries: usize = memory.data((MAX_OPEN_STREAMS + 1) * ENTRY_BYTES, 8);
const heads: usize = memory.data(MAX_OPEN_STREAMS * 2, 2);
const shares: usize = memory.data(SHARES_BYTES, 2);
let firstFree: u32 = 0;
/** The highest number that was ever used: none above it is open. */
let highest: u32 = 0;
let hasEnds: bool = true;

/** This build hears of no stream's end (lean.ts): it notes none. */
export function noteNoStreams(): void {
  hasEnds = false;
}

// @ts-ignore: decorator
@inline
function headOf(contextId: u32): usize {
  return heads + ((contextId & (MAX_OPEN_STREAMS - 1)) << 1);
}

// @ts-ignore: decorator
@inline
function entryAt(number: u32): OpenStream {
  return changetype<OpenStream>(entries + number * ENTRY_BYTES);
}

/**
 * Notes a stream that was let through at `nowUs`.
 * @param enforcement the kind of its route's
 * @returns false: it cannot be, and goes on whatever becomes of its session
 */
export function noteOpenStream(contextId: u32, rootSlot: u32, token: usize, enforcement: u32, nowUs: u64): bool {
  if (!hasEnds) return false;
  const share = shareOf(shares, token);
  const open = load<u16>(share);
  if (open == MAX_OPEN_STREAMS_OF_SESSION) return false;
  let number = firstFree;
  if (number == 0) {
    if (highest == MAX_OPEN_STREAMS) return false;
    number = ++highest;
  } else {
    firstFree = entryAt(number).next;
  }
  const stream = entryAt(number);
  const head = headOf(contextId);
  stream.contextId = contextId;
  stream.rootSlot = rootSlot;
  stream.next = load<u16>(head);
  stream.hasEnded = false;
  stream.enforcement = <u8>enforcement;
  stream.openedAtUs = nowUs;
  stream.askAfterUs = 0;
  memory.copy(stream.token, token, TOKEN_BYTES);
  store<u16>(head, <u16>number);
  store<u16>(share, open + 1);
  return true;
}

/** The stream is no more. False: it is not in the table, or is no stream. */
export function forgetOpenStream(contextId: u32): bool {
  const head = headOf(contextId);
  let before: u32 = 0;
  let number: u32 = load<u16>(head);
  while (number != 0) {
    const stream = entryAt(number);
    const next = stream.next;
    if (stream.contextId != contextId) {
      before = number;
      number = next;
      continue;
    }
    if (before == 0) store<u16>(head, <u16>next);
    else entryAt(before).next = next;
    const share = shareOf(shares, stream.token);
    store<u16>(share, load<u16>(share) - 1);
    stream.contextId = 0;
    stream.next = firstFree;
    firstFree = number;
    return true;
  }
  return false;
}

/** The control plane of `table` says that the session has ended: so do its streams, where that has no record of it. */
export function noteSessionEnded(table: Table, token: usize): void {
  const first = load<u64>(sessionIdOf(token));
  const second = load<u64>(sessionIdOf(token), 8);
  for (let number: u32 = 1; number <= highest; number++) {
    const stream = entryAt(number);
    const id = sessionIdOf(stream.token);
    if (load<u64>(id) != first || load<u64>(id, 8) != second) continue;
    const root = rootInSlot(stream.rootSlot);
    if (root != null && root.table == table) stream.hasEnded = true;
  }
}

/** How many entries there are to look at, free ones among them. */
export function openStreamEntries(): u32 {
  return highest;
}

/** The stream in an entry, from 0; null if it is free. */
export function openStreamAt(index: u32): OpenStream | null {
  const stream = entryAt(index + 1);
  return stream.contextId == 0 ? null : stream;
}
