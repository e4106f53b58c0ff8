// What was spent, as a report and an acquire say it: a row a record, and the names of the limits that rows have levels of.
import { FLAG_LIMITS_UNCONFIRMED } from "../../contract";
import { annexLevelsOf, annexOf, annexTagOf } from "../../domain/table/annex";
import { elapsedUsSince, toMicrotokens } from "../../domain/table/bucket";
import { consumedOf, hasFlag, levelPicoOf, recordSessionIdOf, refilledAtUsOf, revOf } from "../../domain/table/record";
import { SESSION_ID_CHARS, formatSessionId } from "../../domain/token/session-id";
import { hexDigit, writeAscii, writeDecimal, writeSigned } from "../../memory/bytes";
import { Table } from "../state/table";
import { MAX_NAMES_BYTES, isFleetTag, limitsOfTag, writeNames } from "../state/tag-names";
import { learnTag } from "../table/shared-tags";

/** A row at its longest: an id, four numbers, a tag, seven levels, punctuation. */
export const MAX_ROW_BYTES: u32 = 256;
/** A tag with its names, the same once more where it is of scope fleet, and punctuation. */
export const MAX_TAG_BYTES: u32 = MAX_NAMES_BYTES + 12 + 11;
/** What stands around all of them. */
export const TAGS_FRAME_BYTES: u32 = 28;

/** Of one body: far more than the plans whose sessions report together, as a rule. */
export const MAX_TAGS: u32 = 64;
const tags: usize = memory.data(256, 4);
let tagCount: u32 = 0;

/** A body begins: no row has named a tag. */
export function startUsage(): void {
  tagCount = 0;
}

/** How many tags the rows have named. */
export function usedTags(): u32 {
  return tagCount;
}

/**
 * ["id",rev,consumed,level,idleMs], and behind that "tag",[levels] where the record has an annex: levels in microtokens, as
 * they were idleMs ago. One whose limits are not known any more, or that was made without the control plane, says none.
 */
export function writeRow(table: Table, set: usize, record: usize, at: usize, nowUs: u64): usize {
  let end = writeAscii(at, '["');
  formatSessionId(recordSessionIdOf(record), end);
  end = writeDecimal(writeAscii(end + SESSION_ID_CHARS, '",'), revOf(record));
  end = writeDecimal(writeAscii(end, ","), consumedOf(record));
  end = writeSigned(writeAscii(end, ","), toMicrotokens(levelPicoOf(record)));
  end = writeDecimal(writeAscii(end, ","), elapsedUsSince(refilledAtUsOf(record), nowUs) / 1000);
  const annex = annexOf(set, record);
  if (annex != 0 && !hasFlag(record, FLAG_LIMITS_UNCONFIRMED)) end = writeLevels(table, annex, end);
  return writeAscii(end, "]");
}

function writeLevels(table: Table, annex: usize, at: usize): usize {
  const tag = annexTagOf(annex);
  learnTag(table, tag);
  const limits = limitsOfTag(tag);
  if (limits < 0 || !noteTagUsed(tag)) return at;
  let end = writeAscii(writeTag(writeAscii(at, ',"'), tag), '",[');
  for (let limit = 0; limit < limits; limit++) {
    if (limit != 0) end = writeAscii(end, ",");
    end = writeSigned(end, toMicrotokens(load<i64>(annexLevelsOf(annex) + ((<u32>limit) << 3))));
  }
  return writeAscii(end, "]");
}

/** False: no more may be named. */
function noteTagUsed(tag: u32): bool {
  for (let i: u32 = 0; i < tagCount; i++) if (load<u32>(tags + (i << 2)) == tag) return true;
  if (tagCount == MAX_TAGS) return false;
  store<u32>(tags + (tagCount++ << 2), tag);
  return true;
}

/**
 * `,"limits":{"tag":["daily","search"]}`, where rows have named tags; and `,"fleet":["tag"]`: those whose levels, the plan's own
 * among them, are what is left of a lease. Returns the end.
 */
export function writeTags(at: usize): usize {
  if (tagCount == 0) return at;
  let end = writeAscii(at, ',"limits":{');
  for (let i: u32 = 0; i < tagCount; i++) {
    const tag = load<u32>(tags + (i << 2));
    if (i != 0) end = writeAscii(end, ",");
    end = writeNames(writeAscii(writeTag(writeAscii(end, '"'), tag), '":'), tag);
  }
  return writeFleetTags(writeAscii(end, "}"));
}

function writeFleetTags(at: usize): usize {
  let end = at;
  for (let i: u32 = 0; i < tagCount; i++) {
    const tag = load<u32>(tags + (i << 2));
    if (!isFleetTag(tag)) continue;
    end = writeAscii(writeTag(writeAscii(end, end == at ? ',"fleet":["' : ',"'), tag), '"');
  }
  return end == at ? at : writeAscii(end, "]");
}

/** 8 hex digits, of its bytes in their order. */
function writeTag(at: usize, tag: u32): usize {
  for (let i: u32 = 0; i < 8; i++) store<u8>(at + i, hexDigit(<u8>((tag >> ((i ^ 1) << 2)) & 15)));
  return at + 8;
}
