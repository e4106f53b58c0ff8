// The session table over shared data: which key a session's set has, reading and writing it (docs/session-table.md).
import { RECORDS_PER_SET, SET_BYTES, TABLE_LAYOUT_VERSION } from "../../contract";
import { setHashSeedOf } from "../../domain/token/keys";
import { setIndexOf } from "../../domain/table/set-hash";
import { CAS_ABSENT, readShared, sharedValue, writeShared } from "../../host/shared-data";
import { NOT_FOUND, OK } from "../../host/status";
import { primaryKeys } from "../vm/process";
import { Table } from "../state/table";

//   0       3                4             8           12 bytes: within the host's short-string optimisation
//   | "slc" | layout version | table hash  | set index |

const KEY_BYTES: u32 = 12;
const key: usize = memory.data(12, 4);
const emptySet: usize = memory.data(1280, 8);
const word: usize = memory.data(8, 8);

/** A mismatch means that another worker got through, so 32 in a row are a set under more load than it can carry. */
export const MAX_CAS_TRIES: u32 = 32;

/** Above every set index: what the table keeps beside its sets. */
const CAPACITY_KEY: u32 = 0xffffffff;
/** This life of the table (instance.ts). */
export const INSTANCE_KEY: u32 = 0xfffffffe;
/** The edge's log cursor (log-cursor.ts). */
export const LOG_CURSOR_KEY: u32 = 0xfffffffd;
/** Which VM leads (leader.ts). */
export const LEADER_KEY: u32 = 0xfffffffc;
/** The policy that the control plane sent: its name and its bytes (policy-bytes.ts). */
export const POLICY_KEY: u32 = 0xfffffffb;
/** Which policy that is, and the result of each build of the filter (bell.ts). */
export const BELL_KEY: u32 = 0xfffffffa;
/** Why it was rejected (violations.ts). */
export const VIOLATIONS_KEY: u32 = 0xfffffff9;
/** The last policy that was accepted, for a VM that is replaced (good-policy.ts). */
export const GOOD_POLICY_KEY: u32 = 0xfffffff8;
/** Which limits the tags of annexes stand for (shared-tags.ts). */
export const TAGS_KEY: u32 = 0xfffffff7;

function writeKey(tableHash: u32, index: u32): void {
  store<u32>(key, 0x00636c73 | ((<u32>TABLE_LAYOUT_VERSION) << 24)); // "slc", little endian
  store<u32>(key, tableHash, 4);
  store<u32>(key, index, 8);
}

/**
 * FNV-1a, 32 bits, over the table's name, the cluster of the calls and the key id of the secret: under Istio all plugins
 * of an Envoy share one map, and two installations must take neither each other's sessions nor each other's policy.
 */
export function hashOfTable(name: string, cluster: string, keyId: u8): u32 {
  const text = `${name}\0${cluster}\0${keyId}`;
  let hash: u32 = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = (hash ^ (<u32>text.charCodeAt(i))) * 0x01000193;
  return hash;
}

/**
 * Reads the session's set into the arena: see `sharedValue`, `sharedCas`.
 * @returns OK, or NOT_FOUND if the table does not have it yet
 */
export function readSet(table: Table, sessionId: usize): u32 {
  if (table.setMask == 0 && !learnCapacity(table)) return NOT_FOUND;
  writeKey(table.hash, setIndexOf(sessionId, setHashSeedOf(primaryKeys()), table.setMask));
  return readShared(key, KEY_BYTES);
}

/** Writes back the set read last, as it stands at `set`. Returns OK or CAS_MISMATCH. */
export function writeSet(set: usize, cas: u32): u32 {
  return writeShared(key, KEY_BYTES, set, SET_BYTES, cas);
}

/** Creates the session's set, which was found absent; a worker that comes second finds the first one's. */
export function createSet(table: Table, sessionId: usize): void {
  if (table.setMask == 0) createCapacity(table);
  writeKey(table.hash, setIndexOf(sessionId, setHashSeedOf(primaryKeys()), table.setMask));
  writeShared(key, KEY_BYTES, emptySet, SET_BYTES, CAS_ABSENT);
}

/**
 * The running capacity is created once in an Envoy's life, with the first session that the table takes. Other settings
 * take effect at the next start.
 */
function createCapacity(table: Table): void {
  writeKey(table.hash, CAPACITY_KEY);
  store<u32>(word, table.capacity);
  writeShared(key, KEY_BYTES, word, 4, CAS_ABSENT);
  learnCapacity(table);
}

function learnCapacity(table: Table): bool {
  const capacity = runningCapacity(table);
  if (capacity == 0) return false;
  table.setMask = capacity / RECORDS_PER_SET - 1;
  return true;
}

/** The running capacity in records, or 0 if no request has needed the table yet. */
export function runningCapacity(table: Table): u32 {
  writeKey(table.hash, CAPACITY_KEY);
  return readShared(key, KEY_BYTES) == OK ? load<u32>(sharedValue()) : 0;
}

/** Reads what the table keeps beside its sets: see `sharedValue`, `sharedCas`. Returns OK or NOT_FOUND. */
export function readTableKey(table: Table, index: u32): u32 {
  writeKey(table.hash, index);
  return readShared(key, KEY_BYTES);
}

export function writeTableKey(table: Table, index: u32, value: usize, bytes: u32, cas: u32): u32 {
  writeKey(table.hash, index);
  return writeShared(key, KEY_BYTES, value, bytes, cas);
}

/** The number of sets, or 0 while the table has none. */
export function setCount(table: Table): u32 {
  return table.setMask == 0 && !learnCapacity(table) ? 0 : table.setMask + 1;
}

/** Reads a set by its number, as `readSet` does by session. */
export function readSetAt(table: Table, index: u32): u32 {
  writeKey(table.hash, index);
  return readShared(key, KEY_BYTES);
}

/** Writes a set by its number. */
export function writeSetAt(table: Table, index: u32, set: usize, cas: u32): u32 {
  writeKey(table.hash, index);
  return writeShared(key, KEY_BYTES, set, SET_BYTES, cas);
}

/** The number of the set that was read last. */
export function lastSetIndex(): u32 {
  return load<u32>(key, 8);
}
