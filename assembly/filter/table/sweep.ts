// The leader's slow round over the whole table: it finds what a reloaded VM forgot, and counts the records in use.
import { RECORDS_PER_SET, SWEEP_ROUND_TICKS } from "../../contract";
import { elapsedUsSince } from "../../domain/table/bucket";
import { isProvisional, isRecord, recordAt, recordTokenOf, refilledAtUsOf } from "../../domain/table/record";
import { isDirty } from "../../domain/table/set";
import { setTo } from "../vm/metrics";
import { sharedValue } from "../../host/shared-data";
import { OK } from "../../host/status";
import { noteProvisional } from "./provisional";
import { recordsGauge } from "../vm/counters";
import { Root } from "../state/roots";
import { readSetAt, setCount } from "./session-table";

/** On a tick of the leader: one slice. Reads only; the records that it finds are reported or asked for by this VM. */
export function sweepSlice(root: Root, nowUs: u64): void {
  const table = root.table;
  const sets = setCount(table);
  if (sets == 0) return;
  const sweep = table.sweep;
  table.dirty.fit(sets);
  const slice = (sets + SWEEP_ROUND_TICKS - 1) / SWEEP_ROUND_TICKS;
  const end = min(sweep.next + slice, sets);
  for (; sweep.next < end; sweep.next++) {
    if (readSetAt(table, sweep.next) == OK) sweepSet(root, sweep.next, sharedValue(), nowUs);
  }
  if (sweep.next < sets) return;
  setTo(recordsGauge(), sweep.records);
  table.records = sweep.records;
  sweep.next = 0;
  sweep.records = 0;
}

function sweepSet(root: Root, index: u32, set: usize, nowUs: u64): void {
  const table = root.table;
  const overdueUs = <u64>root.epoch.policy.reportIntervalMs * 2000;
  for (let slot: u32 = 0; slot < RECORDS_PER_SET; slot++) {
    const record = recordAt(set, slot);
    if (!isRecord(record)) continue;
    table.sweep.records++;
    if (isProvisional(record)) noteProvisional(table, recordTokenOf(record));
    // The worker that spent in it has had two intervals to report it.
    else if (isDirty(record) && elapsedUsSince(refilledAtUsOf(record), nowUs) > overdueUs) {
      table.dirty.mark(index, slot);
    }
  }
}
