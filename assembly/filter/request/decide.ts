// What becomes of a request (docs/architecture.md, "The life of a request"). Deciding may spend, send an acquire, make a
// record, and let the request wait; it counts no outcome and answers nobody: that is apply.ts.
import { ENFORCEMENT_INHERITED, ENFORCEMENT_OFF } from "../../domain/policy/enforcement";
import { monotonicUs } from "../../host/clock";
import { rootInSlot } from "../state/roots";
import { Request } from "../state/request";
import { ANSWER_STALE, SESSION_ENDED, WRITTEN } from "../table/insert";
import { admit, admitOnRecord, admitUnanswered, admitUnreachable, admitWithoutRecord } from "./admit";
import { holdForPolicy } from "./held";
import { NO_TOKEN, TOKEN_READ, readToken } from "./read-token";
import { takeRoute } from "./route";
import {
  BUSY_ASKING,
  EXEMPT,
  HELD,
  INVALID_TOKEN,
  MISSING_TOKEN,
  NOT_ENFORCED,
  NO_POLICY_IN_FORCE,
  UNCONFIGURED,
  UNCONFIRMED,
  Verdict,
  newVerdict,
} from "./verdict";

// In place of what writing an answer comes to; above all of that.
/** The control plane did not answer. */
export const NO_ANSWER: u32 = 0xff;
/** It is there, but was not asked, or did not answer, in time. */
export const ASKED_TOO_LATE: u32 = 0xfe;
/** It, or what stands before it, rejected the call. */
export const CALL_REJECTED: u32 = 0xfd;

/** Decides from the request's headers, under what is in force for its root now. */
export function decide(request: Request): Verdict {
  const verdict = newVerdict();
  verdict.outcome = decideFromHeaders(request, verdict);
  return verdict;
}

/**
 * Decides on a request that waited for an acquire, under the policy under which it began to wait.
 * @param answered what writing the answer came to (insert.ts), or why there is none
 */
export function decideOnAnswer(request: Request, answered: u32): Verdict {
  const verdict = newVerdict();
  verdict.outcome = admitOnAnswer(request, answered, verdict);
  return verdict;
}

/** For a request that no route takes. */
const DEFAULT_COST: u32 = 1;

function decideFromHeaders(request: Request, verdict: Verdict): u32 {
  const root = rootInSlot(request.slot);
  if (root == null) return UNCONFIGURED;
  request.bind(root);
  const epoch = request.epoch;
  request.cost = DEFAULT_COST;
  request.limitCosts = 0;
  request.settleRule = 0;
  request.enforcement = ENFORCEMENT_INHERITED;
  if (epoch.isOff) return NOT_ENFORCED;
  if (epoch.isNone) return holdForPolicy(request) ? HELD : NO_POLICY_IN_FORCE;
  const routes = epoch.routes;
  if (routes != null) {
    if (takeRoute(request, routes, epoch.settles)) return EXEMPT;
    if (request.enforcement == ENFORCEMENT_OFF) return NOT_ENFORCED;
  }
  const found = readToken(request);
  if (found == TOKEN_READ) return admit(request, verdict);
  return found == NO_TOKEN ? MISSING_TOKEN : INVALID_TOKEN;
}

function admitOnAnswer(request: Request, answered: u32, verdict: Verdict): u32 {
  if (answered == WRITTEN) return admitOnRecord(request, verdict);
  if (answered == ANSWER_STALE) return admit(request, verdict);
  if (answered == NO_ANSWER) return admitUnreachable(request, verdict);
  if (answered == ASKED_TOO_LATE) return admitUnanswered(request, verdict, BUSY_ASKING);
  if (answered == CALL_REJECTED) return admitUnanswered(request, verdict, UNCONFIRMED);
  if (answered == SESSION_ENDED) return INVALID_TOKEN;
  // Nothing of the table is read for it.
  verdict.readAtUs = monotonicUs();
  return admitWithoutRecord(request.epoch, answered);
}
