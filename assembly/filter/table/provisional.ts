// Sessions that this worker admitted unverified and that the control plane has not confirmed yet. A fixed table: what
// does not fit is noted again with the session's next request, or found by the leader's sweep.
import { SESSION_ID_BYTES, TOKEN_BYTES } from "../../contract";
import { sameTokens, sessionIdOf } from "../../domain/token/token";
import { Table } from "../state/table";

//   0            4        8       44
//   | table hash | in use | token |

/** More sessions than a worker confirms in a second, and than the leader's sweep finds in one. */
export const PROVISIONAL_ENTRIES: u32 = 2048;
/** Slots that are looked at for a session, from its own on: then few are lost to each other before the table is full. */
const PROBES: u32 = 8;
const ENTRY_BYTES: u32 = 44;
const USED_AT: u32 = 4;
const TOKEN_AT: u32 = 8;
/** PROVISIONAL_ENTRIES × ENTRY_BYTES. */
const entries: usize = memory.data(90112, 8);

/** Notes a session that was just admitted unverified. It belongs to the table: a change of policy does not forget it. */
export function noteProvisional(table: Table, token: usize): void {
  // The last bytes of a UUIDv7 are random.
  const first = load<u32>(sessionIdOf(token), SESSION_ID_BYTES - 4);
  let entry: usize = 0;
  for (let probe: u32 = 0; probe < PROBES; probe++) {
    entry = entries + ((first + probe) & (PROVISIONAL_ENTRIES - 1)) * ENTRY_BYTES;
    if (load<u32>(entry, USED_AT) == 0 || sameTokens(entry + TOKEN_AT, token)) break;
  }
  store<u32>(entry, table.hash);
  store<u32>(entry, 1, USED_AT);
  memory.copy(entry + TOKEN_AT, token, TOKEN_BYTES);
}

/** The token noted in a slot for this root's table, or 0. It is taken out when asked for. */
export function takeProvisional(table: Table, slot: u32): usize {
  const entry = entries + slot * ENTRY_BYTES;
  if (load<u32>(entry, USED_AT) == 0 || load<u32>(entry) != table.hash) return 0;
  store<u32>(entry, 0, USED_AT);
  return entry + TOKEN_AT;
}
