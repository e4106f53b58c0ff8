// The record of a request: all that it is decided by, in one block of bytes, so that one that has to wait is kept by
// copying the block.
import { TOKEN_BYTES } from "../../contract";
import { Epoch } from "./epoch";
import { Root } from "./roots";

/** A view of REQUEST_BYTES of static memory: it is never allocated, and keeps nothing alive. */
@unmanaged
export class Request {
  /** Under which it is decided; `bind` first. Good until the callback of the host returns. */
  root: Root;
  /** The policy in force for it; `bind` first. */
  epoch: Epoch;
  /** Of its root (roots.ts). */
  slot: u32;
  contextId: u32;
  /** How often it has asked the control plane, or been found to have asked enough. */
  asks: u32;
  /** When it first waited for a lease, ms, monotonic, modular (domain/table/lease.ts); 0: it has not. */
  leaseSince: u32;
  /** Tokens that it takes from the bucket, as its route says. */
  cost: u32;
  /** What its route says of limits by name: a list in its route table; 0: nothing. */
  limitCosts: u32;
  /** Address of its route's rule on what it really costs (domain/usage/settle-rules.ts); 0: what its route says. */
  settleRule: usize;
  /** Its route's (domain/policy/enforcement.ts), or ENFORCEMENT_INHERITED. */
  enforcement: u32;

  /** Address of its token's TOKEN_BYTES: they stand behind the fields. */
  @inline
  get token(): usize {
    return changetype<usize>(this) + offsetof<Request>();
  }

  /** Puts it under a root, and under the policy that is in force there. */
  @inline
  bind(root: Root): void {
    this.root = root;
    this.epoch = root.epoch;
  }
}

export const REQUEST_BYTES: u32 = <u32>offsetof<Request>() + TOKEN_BYTES;
