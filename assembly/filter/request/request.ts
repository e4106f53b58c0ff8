// The request that is being decided: one record a VM, filled from its stream and its headers, or from the copy that was
// kept while it waited.
import { waiterRequest } from "../edge/waiters";
import { REQUEST_BYTES, Request } from "../state/request";

const record: usize = memory.data(REQUEST_BYTES, 8);

/** A request that has just come, under the root in a slot. The record is the next request's afterwards. */
export function newRequest(slot: u32, contextId: u32): Request {
  const request = changetype<Request>(record);
  request.slot = slot;
  request.contextId = contextId;
  // `asks` and `leaseSince`, which stand side by side.
  store<u64>(changetype<usize>(request) + offsetof<Request>("asks"), 0);
  return request;
}

/** One that waited, as it was kept; its waiter may be freed. */
export function keptRequest(waiter: u32, slot: u32): Request {
  memory.copy(record, changetype<usize>(waiterRequest(waiter)), REQUEST_BYTES);
  const request = changetype<Request>(record);
  request.slot = slot;
  return request;
}
