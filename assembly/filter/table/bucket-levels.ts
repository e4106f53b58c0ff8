// The levels of a record and its annex by the number of their bucket: 0 is the plan's own.
import { levelAtOf } from "../../domain/table/record";
import { annexLevelsOf } from "../../domain/table/annex";

/** Address of a level, an i64. */
export function bucketLevelAt(record: usize, annex: usize, bucket: u32): usize {
  return bucket == 0 ? levelAtOf(record) : annexLevelsOf(annex) + ((bucket - 1) << 3);
}
