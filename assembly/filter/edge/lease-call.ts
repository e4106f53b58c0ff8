// Sending asks for leases: each is marked in the table first, so that of all workers one asks about a session, and those that
// are due go together.
import { MAX_EDGE_BODY_BYTES, MAX_LEASE_ASKS, PATH_LEASE } from "../../contract";
import { LimitTable } from "../../domain/limits/limit-table";
import { LEASE_ASK_MS } from "../../domain/table/lease";
import { sentCallId } from "../../host/call";
import { monotonicUs } from "../../host/clock";
import { utf8, writeAscii } from "../../memory/bytes";
import { ASK_NEED, ASK_RETURN, LeaseAsk } from "../state/lease-ask";
import { BUCKETS, LeaseNote, WANT_LEAST, findLeaseNote, takeSettled, wantedRequests } from "../state/lease-notes";
import { Request } from "../state/request";
import { Root } from "../state/roots";
import { MARKED, MARK_NEEDLESS, Marked, backMicro, markLease } from "../table/mark-lease";
import { TOKENS_RETURNED, countLease } from "../vm/lease-counters";
import { noteUnreachable } from "./acquire";
import { CALL_LEASE } from "./call-outcomes";
import { callBody, post, startBody } from "./edge-call";
import { addLeaseWaiter, findLeaseAsk, leaseAskAt, nextUnsent, openLeaseAsk } from "./lease-asks";
import { MAX_ASK_BYTES, settledTokens, writeAsk } from "./lease-body";
import { hasFreeLeaseCall, openLeaseCall } from "./lease-calls";
import { carryTrace, noteTrace } from "./trace";
import { NONE } from "./waiters";

const LEASE = utf8(PATH_LEASE);
/** Room for one more ask, and for what closes the body. */
const BODY_LIMIT: usize = callBody + MAX_EDGE_BODY_BYTES - MAX_ASK_BYTES - 8;

/** What a call to `sendLeases` left unsent: the first of a chain of asks, or NONE. They are in no call. */
let unsent: u32 = NONE;

/**
 * Lets a request wait for a lease of its session. The ask is sent with `sendLeases`.
 * @param costs u32 × BUCKETS, what the request takes; 0: it only waits for an ask that is out already
 * @returns false: it does not wait. Nobody here asks, or no more may wait
 */
export function waitForLease(request: Request, planId: u32, tag: u32, costs: usize): bool {
  const rootId = request.root.id;
  let ask = findLeaseAsk(rootId, request.token);
  if (ask == NONE && costs != 0) {
    ask = openLeaseAsk(rootId, request.token, ASK_NEED, planId, tag);
    if (ask != NONE) {
      memory.copy(leaseAskAt(ask).costs, costs, BUCKETS * 4);
      noteTrace(leaseAskAt(ask).trace);
    }
  }
  return ask != NONE && addLeaseWaiter(ask, request);
}

/**
 * Sends what is to be asked under a root, in as many calls as are free.
 * @returns a chain of asks that were not sent (LeaseAsk.next), and NONE behind it: another worker asks about the session, there
 *   is nothing to ask any more, or Envoy knows no way. They are to be closed
 */
export function sendLeases(root: Root): u32 {
  unsent = NONE;
  while (hasFreeLeaseCall() && nextUnsent(root.id, 0) != NONE) {
    if (!sendCall(root)) break;
  }
  return unsent;
}

/** False: Envoy knows no way. */
function sendCall(root: Root): bool {
  const table = root.table;
  const start = writeAscii(startBody(table, callBody), ',"asks":[');
  let end = start;
  let chain = NONE;
  let asks: u32 = 0;
  for (let number = nextUnsent(root.id, 0); number != NONE; number = nextUnsent(root.id, number + 1)) {
    if (asks == MAX_LEASE_ASKS || end > BODY_LIMIT) break;
    const ask = leaseAskAt(number);
    ask.isOut = true;
    const at = end == start ? end : writeAscii(end, ",");
    const written = markAndWrite(root, ask, at);
    ask.next = written != 0 ? chain : unsent;
    if (written == 0) {
      unsent = number;
      continue;
    }
    carryTrace(ask.trace);
    chain = number;
    end = written;
    asks++;
  }
  if (asks == 0) return true;
  if (post(table, CALL_LEASE, LEASE, callBody, writeAscii(end, "]}"), LEASE_ASK_MS)) {
    openLeaseCall(sentCallId(), root.id, chain, monotonicUs());
    return true;
  }
  noteUnreachable();
  giveUp(chain);
  return false;
}

/** Puts a chain before those that are not sent. */
function giveUp(chain: u32): void {
  while (chain != NONE) {
    const ask = leaseAskAt(chain);
    const next = ask.next;
    ask.next = unsent;
    unsent = chain;
    chain = next;
  }
}

/** Returns the end, or 0 where the ask is not to be sent. */
function markAndWrite(root: Root, ask: LeaseAsk, at: usize): usize {
  const epoch = root.epoch;
  const limits = epoch.limits;
  const planIndex = epoch.policy.planIndexById(ask.planId);
  // Another policy has come into force meanwhile.
  if (limits === null || planIndex < 0 || limits.tagOf(planIndex) != ask.tag) return 0;
  const note = findLeaseNote(root.table.hash, ask.token);
  const marked = markLease(root.table, limits, planIndex, ask, note);
  // What is settled is said as soon as there is a record for it again.
  const isSaid = marked == MARKED || (marked == MARK_NEEDLESS && note != null && !note.hasSettled);
  if (note != null && ask.why == ASK_RETURN && isSaid) note.isIdle = true;
  if (marked != MARKED) return 0;
  memory.fill(settledTokens, 0, BUCKETS * 8);
  if (note != null && note.tag == ask.tag) takeSettled(note, settledTokens);
  if (ask.why == ASK_RETURN) countReturned(limits, planIndex);
  return writeAsk(at, limits, planIndex, ask, wantedOf(ask, note));
}

function wantedOf(ask: LeaseAsk, note: LeaseNote | null): u64 {
  if (ask.why == ASK_RETURN) return 0;
  const waiting = max<u32>(ask.waiting, 1);
  return note == null ? max(waiting, WANT_LEAST) : wantedRequests(note, Marked.rev, waiting, ask.askedAtUs);
}

function countReturned(limits: LimitTable, planIndex: u32): void {
  let micro: i64 = 0;
  for (let bucket: u32 = 0; bucket <= limits.furtherOf(planIndex); bucket++) {
    micro += load<i64>(backMicro + (bucket << 3));
  }
  countLease(TOKENS_RETURNED, <u64>(micro / 1000000));
}
