// The session table over shared data: which key a session's set has, reading and writing it (docs/session-table.md).
import { INSTANCE_CHARS, RECORDS_PER_SET, SET_BYTES, TABLE_LAYOUT_VERSION } from "../contract";
import { mixerSeedOf } from "../domain/keys";
import { setIndexOf } from "../domain/mixer";
import { randomU64 } from "../host/random";
import { CAS_ABSENT, readShared, sharedValue, writeShared } from "../host/shared-data";
import { NOT_FOUND, OK } from "../host/status";
import { writeHex } from "../memory/bytes";
import { primaryKeys } from "./process";
import { Root } from "./roots";

//   0       3                4             8           12 bytes: within the host's short-string optimisation
//   | "slc" | layout version | table hash  | set index |

const KEY_BYTES: u32 = 12;
const key: usize = memory.data(12, 4);
const emptySet: usize = memory.data(1280, 8);
const word: usize = memory.data(8, 8);
const instance: usize = memory.data(16);

/** Above every set index: what the table keeps beside its sets. */
const CAPACITY_KEY: u32 = 0xffffffff;
const INSTANCE_KEY: u32 = 0xfffffffe;
/** The edge's place in the log (log-place.ts). */
export const PLACE_KEY: u32 = 0xfffffffd;
/** Which VM leads (leader.ts). */
export const LEADER_KEY: u32 = 0xfffffffc;

function writeKey(tableHash: u32, index: u32): void {
  store<u32>(key, 0x00636c73 | ((<u32>TABLE_LAYOUT_VERSION) << 24)); // "slc", little endian
  store<u32>(key, tableHash, 4);
  store<u32>(key, index, 8);
}

/** FNV-1a, 32 bits: keeps the tables of differently named policies apart. */
export function hashOfTableName(name: string): u32 {
  let hash: u32 = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = (hash ^ (<u32>name.charCodeAt(i))) * 0x01000193;
  return hash;
}

/**
 * Reads the session's set into the arena: see `sharedValue`, `sharedCas`.
 * @returns OK, or NOT_FOUND if the table does not have it yet
 */
export function readSet(root: Root, sessionId: usize): u32 {
  if (root.setMask == 0 && !learnCapacity(root)) return NOT_FOUND;
  writeKey(root.tableHash, setIndexOf(sessionId, mixerSeedOf(primaryKeys()), root.setMask));
  return readShared(key, KEY_BYTES);
}

/** Writes back the set read last, as it stands at `set`. Returns OK or CAS_MISMATCH. */
export function writeSet(set: usize, cas: u32): u32 {
  return writeShared(key, KEY_BYTES, set, SET_BYTES, cas);
}

/** Creates the session's set, which was found absent; whoever comes second finds the first one's. */
export function createSet(root: Root, sessionId: usize): void {
  if (root.setMask == 0) createCapacity(root);
  writeKey(root.tableHash, setIndexOf(sessionId, mixerSeedOf(primaryKeys()), root.setMask));
  writeShared(key, KEY_BYTES, emptySet, SET_BYTES, CAS_ABSENT);
}

/**
 * The running capacity is created once in an Envoy's life, with the first session that the table takes. So a policy
 * that comes over xDS right after the start is in time to set it; a later one takes effect at the next start.
 */
function createCapacity(root: Root): void {
  writeKey(root.tableHash, CAPACITY_KEY);
  store<u32>(word, root.policy.tableCapacity);
  writeShared(key, KEY_BYTES, word, 4, CAS_ABSENT);
  learnCapacity(root);
}

function learnCapacity(root: Root): bool {
  const capacity = runningCapacity(root.tableHash);
  if (capacity == 0) return false;
  root.setMask = capacity / RECORDS_PER_SET - 1;
  return true;
}

/** The running capacity in records, or 0 if no request has needed the table yet. */
export function runningCapacity(tableHash: u32): u32 {
  writeKey(tableHash, CAPACITY_KEY);
  return readShared(key, KEY_BYTES) == OK ? load<u32>(sharedValue()) : 0;
}

/** Writes INSTANCE_CHARS hex digits at `target`: the name of this life of the table, created once by cas. */
export function writeInstance(root: Root, target: usize): usize {
  writeKey(root.tableHash, INSTANCE_KEY);
  if (readShared(key, KEY_BYTES) != OK) {
    store<u64>(word, randomU64());
    writeHex(instance, word, 8);
    writeShared(key, KEY_BYTES, instance, INSTANCE_CHARS, CAS_ABSENT);
    readShared(key, KEY_BYTES);
  }
  memory.copy(target, sharedValue(), INSTANCE_CHARS);
  return target + INSTANCE_CHARS;
}

/** Reads what the table keeps beside its sets: see `sharedValue`, `sharedCas`. Returns OK or NOT_FOUND. */
export function readTableKey(root: Root, index: u32): u32 {
  writeKey(root.tableHash, index);
  return readShared(key, KEY_BYTES);
}

export function writeTableKey(root: Root, index: u32, value: usize, bytes: u32, cas: u32): u32 {
  writeKey(root.tableHash, index);
  return writeShared(key, KEY_BYTES, value, bytes, cas);
}

/** The number of sets, or 0 while the table has none. */
export function setCount(root: Root): u32 {
  return root.setMask == 0 && !learnCapacity(root) ? 0 : root.setMask + 1;
}

/** Which set the session belongs to. The table must have sets. */
export function setOf(root: Root, sessionId: usize): u32 {
  return setIndexOf(sessionId, mixerSeedOf(primaryKeys()), root.setMask);
}

/** Reads a set by its number, as `readSet` does by session. */
export function readSetAt(root: Root, index: u32): u32 {
  writeKey(root.tableHash, index);
  return readShared(key, KEY_BYTES);
}

/** Writes a set by its number. */
export function writeSetAt(root: Root, index: u32, set: usize, cas: u32): u32 {
  writeKey(root.tableHash, index);
  return writeShared(key, KEY_BYTES, set, SET_BYTES, cas);
}

/** The number of the set that was read last. */
export function lastSetIndex(): u32 {
  return load<u32>(key, 8);
}
