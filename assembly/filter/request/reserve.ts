// Noting what a request has reserved, until its response says what it really cost
// (docs/decisions/0071-what-a-request-really-cost.md).
import { costOf } from "../../domain/limits/buckets";
import { NO_TAG } from "../../domain/limits/limits-tag";
import { SETTLE_JSON } from "../../domain/policy/settle-model";
import { SettleRule } from "../../domain/usage/settle-rules";
import { removeRequestHeader } from "../../host/headers";
import { fixedText } from "../../memory/bytes";
import { Request } from "../state/request";
import { hasNoteFor, openNote } from "../state/settle-notes";
import { RESERVED, SETTLEMENT_NO_NOTE, countSettled } from "../vm/settle-counters";
import { NO_RESERVATION, reservedLimit } from "./reservation";
import { Verdict } from "./verdict";

const ACCEPT_ENCODING = fixedText("accept-encoding");

/** For an allowed request whose route settles. `consumedAtOnce` must be asked before: it goes by the note that is taken here. */
export function reserve(request: Request, verdict: Verdict): void {
  const epoch = request.epoch;
  const rules = epoch.settles;
  const limit = reservedLimit(request, verdict);
  if (rules === null || limit == NO_RESERVATION) return;
  if (!hasNoteFor(request.token)) {
    countSettled(SETTLEMENT_NO_NOTE, 1);
    return;
  }
  const limits = epoch.limits;
  const note = openNote(request.contextId, request.token, rules, request.settleRule);
  note.rootSlot = request.slot;
  note.limit = <u8>limit;
  note.reserved = limit == 0 ? request.cost : costOf(verdict.buckets, limit);
  note.tag = limits === null ? NO_TAG : limits.tagOf(verdict.planIndex);
  note.planId = <u16>unchecked(epoch.policy.plans[verdict.planIndex]).id;
  countSettled(RESERVED, note.reserved);
  // So that the service does not compress its answer, which could not be read then.
  const reads = changetype<SettleRule>(request.settleRule).source == SETTLE_JSON;
  if (reads) removeRequestHeader(ACCEPT_ENCODING.address, ACCEPT_ENCODING.bytes);
}
