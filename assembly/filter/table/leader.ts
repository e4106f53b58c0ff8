// One VM of an Envoy leads its table: it watches the log and sweeps. A lease in shared data, renewed by ticks.
import { LEADER_LEASE_MS } from "../../contract";
import { CAS_ABSENT, sharedCas, sharedValue } from "../../host/shared-data";
import { OK } from "../../host/status";
import { Table } from "../state/table";
import { LEADER_KEY, readTableKey, writeTableKey } from "./session-table";
import { vmId } from "../vm/vm-id";

//   0        8              16
//   | holder | until, in µs |

const LEASE_BYTES: u32 = 16;
const lease: usize = memory.data(16, 8);
const LEASE_US: u64 = <u64>LEADER_LEASE_MS * 1000;
/** Renewed when so much of it has gone: a write each second, not each tick. */
const RENEW_AFTER_US: u64 = 1000000;

/** Whether this VM leads the table now, taking or renewing the lease where that is due. */
export function leads(table: Table, nowUs: u64): bool {
  // The VM's, not a root's: after a change of policy its new root leads on.
  const self = vmId();
  let cas: u32 = CAS_ABSENT;
  if (readTableKey(table, LEADER_KEY) == OK) {
    const value = sharedValue();
    const mine = load<u64>(value) == self;
    const untilUs = load<u64>(value, 8);
    if (mine && untilUs > nowUs + LEASE_US - RENEW_AFTER_US) return true;
    if (!mine && untilUs > nowUs) return false;
    cas = sharedCas();
  }
  store<u64>(lease, self);
  store<u64>(lease, nowUs + LEASE_US, 8);
  return writeTableKey(table, LEADER_KEY, lease, LEASE_BYTES, cas) == OK;
}
