// A request for which too little is left of its session's lease: it waits for one.
import { BUCKETS_BYTES, takeCosts } from "../../domain/limits/buckets";
import { LEASE_ASK_MS, leaseMs } from "../../domain/table/lease";
import { shouldHoldBack } from "../edge/acquire";
import { closeLeaseAsk, leaseAskAt } from "../edge/lease-asks";
import { sendLeases, waitForLease } from "../edge/lease-call";
import { askSoon } from "../edge/lease-tick";
import { NONE, waiterNext } from "../edge/waiters";
import { BUCKETS } from "../state/lease-notes";
import { Request } from "../state/request";
import { holdForLease, holdLonger } from "./held";
import { namedCosts } from "./named-costs";
import { LEASE_NEEDED, takeCostsOf } from "./spend-lease";
import { BUSY_ASKING, CANNOT_DECIDE, HELD, UNCONFIRMED, Verdict, WITHOUT_LEASE } from "./verdict";

const buckets: usize = memory.data(BUCKETS_BYTES, 8);
const costs: usize = memory.data(BUCKETS * 4, 4);

/** Address of what the request takes from each bucket of a plan: u32 × BUCKETS, tokens. */
export function leaseCosts(request: Request, planIndex: u32): usize {
  const limits = request.epoch.limits;
  if (limits === null) return costs;
  takeCosts(buckets, limits, planIndex, request.cost, namedCosts(request.epoch, request.limitCosts));
  takeCostsOf(buckets, limits.furtherOf(planIndex), costs);
  return costs;
}

/** @param spent LEASE_NEEDED or LEASE_PENDING */
export function admitOnLease(request: Request, spent: u32, verdict: Verdict): u32 {
  if (shouldHoldBack()) return denied(verdict, UNCONFIRMED);
  const nowMs = leaseMs(verdict.readAtUs);
  if (request.leaseSince == 0) {
    request.leaseSince = max(nowMs, 1);
    verdict.why = WITHOUT_LEASE;
  } else if (nowMs - request.leaseSince > LEASE_ASK_MS) {
    return denied(verdict, BUSY_ASKING);
  }
  const limits = request.epoch.limits;
  if (limits === null) return denied(verdict, UNCONFIRMED);
  const planIndex = verdict.planIndex;
  const planId = unchecked(request.epoch.policy.plans[planIndex]).id;
  takeCostsOf(verdict.buckets, limits.furtherOf(planIndex), costs);
  const asks = spent == LEASE_NEEDED;
  if (waitForLease(request, planId, limits.tagOf(planIndex), asks ? costs : 0)) {
    if (asks) {
      askSoon(request.root, verdict.readAtUs);
      holdUnsent(sendLeases(request.root));
    }
    return HELD;
  }
  // Another worker asks, or too many sessions are asked about here: it is decided again on the next tick.
  return holdForLease(request) ? HELD : denied(verdict, BUSY_ASKING);
}

/** Closes asks that were not sent: what waits for them is decided again on the next tick. */
export function holdUnsent(chain: u32): void {
  while (chain != NONE) {
    const next = leaseAskAt(chain).next;
    let waiter = closeLeaseAsk(chain);
    while (waiter != NONE) {
      const after = waiterNext(waiter);
      holdLonger(waiter);
      waiter = after;
    }
    chain = next;
  }
}

function denied(verdict: Verdict, why: u32): u32 {
  verdict.why = why;
  return CANNOT_DECIDE;
}
