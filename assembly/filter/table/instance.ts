// This life of a table in this Envoy: its name, and whether its first watch has failed. One shared-data key a table,
// created once by cas.
import { INSTANCE_CHARS } from "../../contract";
import { randomU64 } from "../../host/random";
import { CAS_ABSENT, sharedCas, sharedValue } from "../../host/shared-data";
import { OK } from "../../host/status";
import { writeHexU64 } from "../../memory/bytes";
import { INSTANCE_KEY, readTableKey, writeTableKey } from "./session-table";
import { Table } from "../state/table";

//   0      16      20
//   | name | flags |

const INSTANCE_BYTES: u32 = 20;
const FLAGS_AT: u32 = 16;
/** The first watch of this life could not be answered. */
const FIRST_WATCH_FAILED: u32 = 1;

const copy: usize = memory.data(32, 8);

/** Writes INSTANCE_CHARS hex digits at `target`. Returns the address behind them. */
export function writeInstance(table: Table, target: usize): usize {
  memory.copy(target, readInstance(table), INSTANCE_CHARS);
  return target + INSTANCE_CHARS;
}

export function hasFirstWatchFailed(table: Table): bool {
  return (load<u32>(readInstance(table), FLAGS_AT) & FIRST_WATCH_FAILED) != 0;
}

/** Notes it for the other VMs. One that writes in the same moment writes the same. */
export function noteFirstWatchFailed(table: Table): void {
  memory.copy(copy, readInstance(table), INSTANCE_BYTES);
  const flags = load<u32>(copy, FLAGS_AT);
  if ((flags & FIRST_WATCH_FAILED) != 0) return;
  store<u32>(copy, flags | FIRST_WATCH_FAILED, FLAGS_AT);
  writeTableKey(table, INSTANCE_KEY, copy, INSTANCE_BYTES, sharedCas());
}

/** The address of the value, in the arena. */
function readInstance(table: Table): usize {
  if (readTableKey(table, INSTANCE_KEY) == OK) return sharedValue();
  writeHexU64(copy, randomU64());
  store<u32>(copy, 0, FLAGS_AT);
  writeTableKey(table, INSTANCE_KEY, copy, INSTANCE_BYTES, CAS_ABSENT);
  readTableKey(table, INSTANCE_KEY);
  return sharedValue();
}
