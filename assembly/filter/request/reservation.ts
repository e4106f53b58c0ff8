// What a request whose route settles takes for now, and from which limit.
import { NOT_SPENT, costOf } from "../../domain/limits/buckets";
import { OWN_BUCKET, SettleRule } from "../../domain/usage/settle-rules";
import { Request } from "../state/request";
import { hasNoteFor } from "../state/settle-notes";
import { Verdict } from "./verdict";

/** Stands as a limit's number where nothing is reserved: the plan lacks the limit, or the request spends nothing from it. */
export const NO_RESERVATION: u32 = 0xffffffff;

/**
 * What counts as consumed when the request is let through. A reservation from the plan's own bucket does not: what is
 * consumed never falls, so it waits for the settlement. Without a free note there will be none.
 */
export function consumedAtOnce(request: Request): u32 {
  if (request.settleRule == 0 || !hasNoteFor(request.token)) return request.cost;
  return changetype<SettleRule>(request.settleRule).nameId == OWN_BUCKET ? 0 : request.cost;
}

/** The number of the limit that an allowed request has reserved from. */
export function reservedLimit(request: Request, verdict: Verdict): u32 {
  const nameId = changetype<SettleRule>(request.settleRule).nameId;
  if (nameId == OWN_BUCKET) return 0;
  const limits = request.epoch.limits;
  if (limits === null) return NO_RESERVATION;
  const planIndex = verdict.planIndex;
  const further = limits.furtherOf(planIndex);
  for (let limit: u32 = 1; limit <= further; limit++) {
    if (limits.limitOf(planIndex, limit).nameId != nameId) continue;
    return costOf(verdict.buckets, limit) == NOT_SPENT ? NO_RESERVATION : limit;
  }
  return NO_RESERVATION;
}
