// A name for this VM: which one leads the table, and which one's report it is.
import { randomU64 } from "../../host/random";

/** 0 until it is first asked for. */
let id: u64 = 0;

/** Never 0. Made once: a change of policy keeps it, a reloaded VM has another. */
export function vmId(): u64 {
  if (id == 0) id = randomU64() | 1;
  return id;
}
