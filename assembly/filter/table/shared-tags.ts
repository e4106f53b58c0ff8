// Which limits tags stand for, told to all VMs of an Envoy: while a policy comes into force, or after a VM was replaced, one
// may find an annex of a policy that it never had. One shared-data key a table, only where a policy has further limits.
import { LimitTable } from "../../domain/limits/limit-table";
import { NO_TAG } from "../../domain/limits/limits-tag";
import { CAS_ABSENT, sharedBytes, sharedCas } from "../../host/shared-data";
import { OK } from "../../host/status";
import { lendArena, returnArena } from "../../memory/arena";
import { Table } from "../state/table";
import { TAG_BYTES, findTag, limitsOfTag, noteEntry } from "../state/tag-names";
import { MAX_CAS_TRIES, TAGS_KEY, readTableKey, writeTableKey } from "./session-table";

/** Above MAX_PLANS, so that all tags of a policy are told. The oldest go first. */
const MAX_SHARED: u32 = 1024;
/** MAX_SHARED × TAG_BYTES: entries as tag-names.ts has them, the oldest first. */
const shared: usize = memory.data(262144, 8);

/** Tells the other VMs of a policy's tags, before it is in force here. */
export function shareTags(table: Table, limits: LimitTable | null): void {
  if (limits === null) return;
  for (let tries: u32 = 0; tries < MAX_CAS_TRIES; tries++) {
    const known = readTags(table);
    const cas = known == 0 ? CAS_ABSENT : sharedCas();
    const count = addMissing(limits, known);
    if (count == 0) return;
    if (writeTableKey(table, TAGS_KEY, shared, count * TAG_BYTES, cas) == OK) return;
  }
}

/** Makes sure that a tag is known here, if another VM has told of it. */
export function learnTag(table: Table, tag: u32): void {
  if (tag == NO_TAG || limitsOfTag(tag) >= 0) return;
  const known = readTags(table);
  for (let i: u32 = 0; i < known; i++) noteEntry(shared + i * TAG_BYTES);
}

/** Reads the entries. Returns how many there are. */
function readTags(table: Table): u32 {
  lendArena(shared, MAX_SHARED * TAG_BYTES);
  const status = readTableKey(table, TAGS_KEY);
  returnArena();
  return status == OK ? sharedBytes() / TAG_BYTES : 0;
}

/** Adds those of a policy that are not among the `known` entries. Returns how many there are then; 0: nothing was missing. */
function addMissing(limits: LimitTable, known: u32): u32 {
  const plans = limits.planCount;
  let count = known;
  let adds = false;
  for (let plan: u32 = 0; plan < plans; plan++) {
    const tag = limits.tagOf(plan);
    const entry = findTag(tag);
    if (tag == NO_TAG || entry == 0 || isAmong(tag, count)) continue;
    if (count == MAX_SHARED) {
      memory.copy(shared, shared + TAG_BYTES, (MAX_SHARED - 1) * TAG_BYTES);
      count--;
    }
    memory.copy(shared + count * TAG_BYTES, entry, TAG_BYTES);
    count++;
    adds = true;
  }
  return adds ? count : 0;
}

function isAmong(tag: u32, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) if (load<u32>(shared + i * TAG_BYTES) == tag) return true;
  return false;
}
