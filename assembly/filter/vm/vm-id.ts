// A name for this VM: by it the lease names the leader, and a report names its worker.
import { randomU64 } from "../../host/random";

/** 0 until it is first asked for. */
let id: u64 = 0;

/** Never 0. Made once: a change of policy keeps it, a reloaded VM has another. */
export function vmId(): u64 {
  if (id == 0) id = randomU64() | 1;
  return id;
}
