// The bytes of the policy that the control plane sent last: one shared-data key a table. Their name stands with them, so
// that a VM never takes bytes for those that the bell, which is another key, names.
import { MAX_EDGE_ANSWER_BYTES } from "../../contract";
import { CAS_ABSENT, sharedBytes, sharedCas, sharedValue } from "../../host/shared-data";
import { OK } from "../../host/status";
import { lendArena, returnArena } from "../../memory/arena";
import { followsLog } from "./bell";
import { hashOfBytes } from "../state/epoch";
import { POLICY_KEY, readTableKey, writeTableKey } from "../table/session-table";
import { Table } from "../state/table";

//   0     8            16     24
//   | log | generation | hash | bytes |

export const POLICY_NAME_BYTES: u32 = 24;
const GENERATION_AT: u32 = 8;
const HASH_AT: u32 = 16;
const MAX_TRIES: u32 = 8;

/**
 * Writes a policy, unless a newer one stands there, or another one under this generation.
 * @param block POLICY_NAME_BYTES of room, and then `size` bytes of the policy
 * @returns false if the edge follows another log, or a newer policy of this one is there
 */
export function writePolicyBytes(
  table: Table,
  block: StaticArray<u8>,
  size: u32,
  log: u64,
  generation: u64,
  hash: u64,
): bool {
  const at = changetype<usize>(block);
  store<u64>(at, log);
  store<u64>(at, generation, GENERATION_AT);
  store<u64>(at, hash, HASH_AT);
  const scratch = new StaticArray<u8>(<i32>(POLICY_NAME_BYTES + MAX_EDGE_ANSWER_BYTES));
  for (let tries: u32 = 0; tries < MAX_TRIES; tries++) {
    const stands = readInto(table, POLICY_KEY, scratch);
    const cas = stands ? sharedCas() : CAS_ABSENT;
    const value = sharedValue();
    // Read first: `followsLog` reads another key.
    const stored: u64 = stands && load<u64>(value) == log ? load<u64>(value, GENERATION_AT) : 0;
    if (stored > generation) return false;
    // A generation numbers one policy: other bytes under it would not be those that the bell names.
    if (stored == generation) return load<u64>(value, HASH_AT) == hash;
    if (!followsLog(table, log)) return false;
    if (writeTableKey(table, POLICY_KEY, at, POLICY_NAME_BYTES + size, cas) == OK) return true;
  }
  return false;
}

/** The text of the policy with this hash, or null if another one is kept. */
export function readPolicyText(table: Table, hash: u64, size: u32): string | null {
  if (size > MAX_EDGE_ANSWER_BYTES) return null;
  const block = new StaticArray<u8>(<i32>(POLICY_NAME_BYTES + size));
  if (!readInto(table, POLICY_KEY, block)) return null;
  const value = sharedValue();
  if (sharedBytes() != POLICY_NAME_BYTES + size || load<u64>(value, HASH_AT) != hash) return null;
  const bytes = value + POLICY_NAME_BYTES;
  return hashOfBytes(bytes, size) == hash ? String.UTF8.decodeUnsafe(bytes, size) : null;
}

/** Reads a key of the table into a block. False: there is none, or it does not fit. */
export function readInto(table: Table, key: u32, block: StaticArray<u8>): bool {
  lendArena(changetype<usize>(block), block.length);
  const status = readTableKey(table, key);
  returnArena();
  return status == OK;
}
