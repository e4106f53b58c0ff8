// The request side: read the token, then admit (docs/architecture.md, "The life of a request").
import { TOKEN_BYTES } from "../../contract";
import { ENFORCEMENT_OFF } from "../../domain/policy/model";
import { decodeToken } from "../../domain/token/token";
import { headerBytes, headerValue, readRequestHeader } from "../../host/headers";
import { NOT_FOUND, OK } from "../../host/status";
import { CONTINUE, PAUSE } from "../../host/stream";
import { addressOf } from "../../memory/bytes";
import { GO, admit } from "./admit";
import { denyInvalid, denyMissing, denyNoPolicy, denyUnconfigured } from "./deny";
import { holdForPolicy } from "./held";
import { rootInSlot } from "../state/roots";

const token: usize = memory.data(TOKEN_BYTES);

/**
 * Decides on a request, from its headers, under the root in a slot: CONTINUE, or PAUSE if it was answered or waits.
 * @param asks how often it has asked the control plane already: 0 unless it has waited
 */
export function decideRequest(slot: u32, contextId: u32, asks: u32): u32 {
  const root = rootInSlot(slot);
  if (root == null) {
    denyUnconfigured();
    return PAUSE;
  }
  const epoch = root.epoch;
  if (epoch.policy.enforcement == ENFORCEMENT_OFF) return CONTINUE;
  if (epoch.isNone) {
    if (!holdForPolicy(root, contextId)) denyNoPolicy(epoch);
    return PAUSE;
  }
  const name = epoch.headerName;
  const status = readRequestHeader(addressOf(name), name.byteLength);
  if (status == NOT_FOUND || (status == OK && headerBytes() == 0)) {
    denyMissing(epoch);
    return PAUSE;
  }
  // A value that does not fit the arena is no token either.
  if (status != OK || !decodeToken(headerValue(), headerBytes(), token)) {
    denyInvalid(epoch);
    return PAUSE;
  }
  return admit(root, slot, contextId, token, asks) == GO ? CONTINUE : PAUSE;
}
