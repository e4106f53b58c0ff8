// The sessions that this worker is asking about: a fixed table. Each waits to be asked about (ask-queue.ts) or is part of
// a call that is out (calls.ts); requests that wait for its answer are chained to it (waiters.ts).
import { SESSION_ID_BYTES, TOKEN_BYTES } from "../../contract";
import { NO_TAG } from "../../domain/limits/limits-tag";
import { sessionIdOf } from "../../domain/token/token";
import { Request } from "../state/request";
import { noteNoTrace } from "./trace";
import { MAX_WAITERS, NONE, hasRoomToWait, linkWaiter, takeWaiter, waiterRequest } from "./waiters";

//   0      4                 8          16             24             28            32        36     40      44      80
//   | next | root context id | asked at | waits until | first waiter | last waiter | waiters | used | flags | token | said |
//
//   84     88          92      124     180
//   | plan | lease tag | costs | trace |
//
// said: the tag of the annex whose levels the call says. The lease tag: of the annex for which the call wants a lease, under
// that plan, for requests of these costs.

/** Of sessions that are asked about only to confirm their records: so many at a time. */
export const MAX_CONFIRMATIONS: u32 = 128;
/** Each waiting request may be of another session. */
const MAX_ASKS: u32 = MAX_WAITERS + MAX_CONFIRMATIONS;
/** Requests that wait for one session: so that no client alone can hold all waiters. */
const MAX_WAITERS_OF_ASK: u32 = 256;

/** No record stood when the table was read: the answer may make one. */
export const ASK_INSERTS: u32 = 1;
/** No request wants it: it is to confirm a record. */
export const ASK_CONFIRMS: u32 = 2;
/** It was in a call whose answer did not name it: it has the next call for itself. */
export const ASK_ALONE: u32 = 4;
/** It is for an open stream's sake: without an answer, nothing was admitted unverified. */
export const ASK_STREAM: u32 = 8;
/** What its record says goes along. */
export const ASK_WITH_USAGE: u32 = 16;

const ASK_BYTES: u32 = 184;
const ROOT_AT: u32 = 4;
const ASKED_AT: u32 = 8;
const UNTIL_AT: u32 = 16;
const FIRST_AT: u32 = 24;
const LAST_AT: u32 = 28;
const WAITERS_AT: u32 = 32;
const USED_AT: u32 = 36;
const FLAGS_AT: u32 = 40;
const TOKEN_AT: u32 = 44;
const SAID_AT: u32 = 80;
const LEASE_PLAN_AT: u32 = 84;
const LEASE_TAG_AT: u32 = 88;
const COSTS_AT: u32 = 92;
const COSTS_BYTES: u32 = 32;
const TRACE_AT: u32 = COSTS_AT + COSTS_BYTES;

/** MAX_ASKS × ASK_BYTES. */
const asks: usize = memory.data(211968, 8);
let inUse: u32 = 0;
let confirming: u32 = 0;

// @ts-ignore: decorator
@inline
function askAt(ask: u32): usize {
  return asks + ask * ASK_BYTES;
}

/** The session that is being asked about under this root, or NONE. The search ends with the last one in use. */
export function findAsk(rootId: u32, token: usize): u32 {
  let left = inUse;
  for (let ask: u32 = 0; left > 0; ask++) {
    const at = askAt(ask);
    if (load<u32>(at, USED_AT) == 0) continue;
    left--;
    if (load<u32>(at, ROOT_AT) != rootId) continue;
    if (memory.compare(sessionIdOf(at + TOKEN_AT), sessionIdOf(token), SESSION_ID_BYTES) == 0) return ask;
  }
  return NONE;
}

/** Takes an entry for a session, of no call and no queue yet. NONE: all are in use. */
export function openAsk(rootId: u32, token: usize, flags: u32, askedAtUs: u64): u32 {
  if (inUse == MAX_ASKS) return NONE;
  let ask: u32 = 0;
  while (load<u32>(askAt(ask), USED_AT) != 0) ask++;
  const at = askAt(ask);
  inUse++;
  if ((flags & ASK_CONFIRMS) != 0) confirming++;
  store<u32>(at, NONE);
  store<u32>(at, rootId, ROOT_AT);
  store<u64>(at, askedAtUs, ASKED_AT);
  store<u32>(at, NONE, FIRST_AT);
  store<u32>(at, 0, WAITERS_AT);
  store<u32>(at, 1, USED_AT);
  store<u32>(at, flags, FLAGS_AT);
  store<u32>(at, NO_TAG, SAID_AT);
  store<u32>(at, NO_TAG, LEASE_TAG_AT);
  noteNoTrace(at + TRACE_AT);
  memory.copy(at + TOKEN_AT, token, TOKEN_BYTES);
  return ask;
}

/** Frees the entry and gives up its waiters: the first of a chain, or NONE. Its token stays until the next `openAsk`. */
export function closeAsk(ask: u32): u32 {
  const at = askAt(ask);
  inUse--;
  if ((load<u32>(at, FLAGS_AT) & ASK_CONFIRMS) != 0) confirming--;
  store<u32>(at, 0, USED_AT);
  return load<u32>(at, FIRST_AT);
}

export function askToken(ask: u32): usize {
  return askAt(ask) + TOKEN_AT;
}

export function askRoot(ask: u32): u32 {
  return load<u32>(askAt(ask), ROOT_AT);
}

export function askedAtUs(ask: u32): u64 {
  return load<u64>(askAt(ask), ASKED_AT);
}

/** Until when it may wait for a call, monotonic µs. */
export function askWaitsUntilUs(ask: u32): u64 {
  return load<u64>(askAt(ask), UNTIL_AT);
}

export function letAskWaitUntil(ask: u32, untilUs: u64): void {
  store<u64>(askAt(ask), untilUs, UNTIL_AT);
}

export function hasAskFlag(ask: u32, flag: u32): bool {
  return (load<u32>(askAt(ask), FLAGS_AT) & flag) != 0;
}

export function setAskFlag(ask: u32, flag: u32): void {
  const at = askAt(ask);
  store<u32>(at, load<u32>(at, FLAGS_AT) | flag, FLAGS_AT);
}

/** Which limits the levels are of that the call says, or NO_TAG. */
export function askSaidTag(ask: u32): u32 {
  return load<u32>(askAt(ask), SAID_AT);
}

export function setAskSaidTag(ask: u32, tag: u32): void {
  store<u32>(askAt(ask), tag, SAID_AT);
}

/** A lease is wanted with the answer. @param costs u32 × 8: what a request takes from each bucket, tokens */
export function setAskLease(ask: u32, planId: u32, tag: u32, costs: usize): void {
  const at = askAt(ask);
  store<u32>(at, planId, LEASE_PLAN_AT);
  store<u32>(at, tag, LEASE_TAG_AT);
  memory.copy(at + COSTS_AT, costs, COSTS_BYTES);
}

/** NO_TAG: none is wanted. */
export function askLeaseTag(ask: u32): u32 {
  return load<u32>(askAt(ask), LEASE_TAG_AT);
}

export function askLeasePlan(ask: u32): u32 {
  return load<u32>(askAt(ask), LEASE_PLAN_AT);
}

/** Address of the costs. */
export function askCosts(ask: u32): usize {
  return askAt(ask) + COSTS_AT;
}

/** Address of a note (trace.ts): the trace of the request that asked first. */
export function askTrace(ask: u32): usize {
  return askAt(ask) + TRACE_AT;
}

/** How many requests wait for the answer. */
export function askWaiters(ask: u32): u32 {
  return load<u32>(askAt(ask), WAITERS_AT);
}

/** The next of its call or of the queue, or NONE. */
export function nextAsk(ask: u32): u32 {
  return load<u32>(askAt(ask));
}

export function linkAsk(ask: u32, next: u32): void {
  store<u32>(askAt(ask), next);
}

/** How many more sessions may be asked about for their records' sake. */
export function freeConfirmations(): u32 {
  return MAX_CONFIRMATIONS - confirming;
}

/** Lets a request wait for an answer, behind those that wait already. False: its limit, or that of all, is reached. */
export function addWaiter(ask: u32, request: Request): bool {
  const at = askAt(ask);
  const waiting = load<u32>(at, WAITERS_AT);
  if (waiting == MAX_WAITERS_OF_ASK || !hasRoomToWait()) return false;
  const waiter = takeWaiter(request);
  waiterRequest(waiter).asks++;
  store<u32>(at, waiting + 1, WAITERS_AT);
  if (load<u32>(at, FIRST_AT) == NONE) store<u32>(at, waiter, FIRST_AT);
  else linkWaiter(load<u32>(at, LAST_AT), waiter);
  store<u32>(at, waiter, LAST_AT);
  return true;
}
