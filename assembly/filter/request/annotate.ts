// What access logs may say of a request: filter state `wasm.sluice.session`, `.plan`, `.decision` and `.limit`.
import { ANNOTATE_DECISION, ANNOTATE_LIMIT, ANNOTATE_PLAN, ANNOTATE_SESSION } from "../../domain/policy/token-model";
import { SESSION_ID_CHARS, formatSessionId } from "../../domain/token/session-id";
import { sessionIdOf } from "../../domain/token/token";
import { setFilterState } from "../../host/filter-state";
import { FixedText, fixedText, writeAscii } from "../../memory/bytes";
import { Request } from "../state/request";
import {
  ALLOWED,
  BUDGET_SPENT,
  EXEMPT,
  INVALID_TOKEN,
  LIMITED,
  MISSING_TOKEN,
  NOT_ENFORCED,
  UNMETERED,
  Verdict,
  knowsPlan,
  knowsSession,
} from "./verdict";

const SESSION = fixedText("sluice.session");
const PLAN = fixedText("sluice.plan");
const DECISION = fixedText("sluice.decision");
const LIMIT = fixedText("sluice.limit");
const sessionText: usize = memory.data(36);
/** The longest: "shadow_unavailable". */
const decisionText: usize = memory.data(32);

/**
 * What is not known is not set: a request without a session has a decision alone.
 * @param passes it goes on to the service, whatever was decided
 */
export function annotate(request: Request, verdict: Verdict, passes: bool): void {
  const wanted = request.epoch.policy.annotate;
  if ((wanted & ANNOTATE_SESSION) != 0 && knowsSession(verdict)) {
    formatSessionId(sessionIdOf(request.token), sessionText);
    set(SESSION, sessionText, SESSION_ID_CHARS);
  }
  if ((wanted & ANNOTATE_DECISION) != 0) {
    const end = writeDecision(decisionText, verdict.outcome, passes);
    set(DECISION, decisionText, <u32>(end - decisionText));
  }
  if (!knowsPlan(verdict)) return;
  const plan = unchecked(request.epoch.plans[verdict.planIndex]);
  if ((wanted & ANNOTATE_PLAN) != 0) set(PLAN, plan.name, plan.nameBytes);
  if ((wanted & ANNOTATE_LIMIT) == 0 || verdict.outcome != LIMITED) return;
  const limits = request.epoch.limits;
  if (limits === null || verdict.limit == 0) {
    // The plan's own bucket has the plan's name.
    set(LIMIT, plan.name, plan.nameBytes);
    return;
  }
  const limit = limits.limitOf(verdict.planIndex, verdict.limit);
  set(LIMIT, limit.name, limit.nameBytes);
}

/** The outcome's word in `sluice_requests_total`. */
function writeDecision(target: usize, outcome: u32, passes: bool): usize {
  if (outcome == ALLOWED || outcome == UNMETERED) return writeAscii(target, "allowed");
  if (outcome == NOT_ENFORCED) return writeAscii(target, "off");
  if (outcome == EXEMPT) return writeAscii(target, "exempt");
  if (passes) target = writeAscii(target, "shadow_");
  if (outcome == LIMITED || outcome == BUDGET_SPENT) return writeAscii(target, "limited");
  if (outcome == MISSING_TOKEN) return writeAscii(target, "missing");
  if (outcome == INVALID_TOKEN) return writeAscii(target, "invalid");
  return writeAscii(target, "unavailable");
}

function set(name: FixedText, value: usize, valueBytes: u32): void {
  setFilterState(name.address, name.bytes, value, valueBytes);
}
