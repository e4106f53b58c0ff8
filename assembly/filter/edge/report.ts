// Reporting what was spent: absolute figures ordered by rev, so that a report may come late, twice or not at all.
import {
  MAX_EDGE_ANSWER_BYTES,
  MAX_EDGE_BODY_BYTES,
  MAX_REPORT_ROWS,
  PATH_REPORT,
  RECORDS_PER_SET,
} from "../../contract";
import { readReportAnswer } from "../../domain/edge/edge-answers";
import { recordAt, recordSessionIdOf, revOf } from "../../domain/table/record";
import { isDirty } from "../../domain/table/set";
import { callResponseBody } from "../../host/buffers";
import { sentCallId } from "../../host/call";
import { utf8, writeAscii, writeDecimal, writeHexU64 } from "../../memory/bytes";
import { acknowledgeRows } from "./acknowledge";
import { REPORT_FAILURES, count } from "../vm/counters";
import { buildId } from "../vm/build-id";
import { CALL_REPORT, OUTCOME_MALFORMED, OUTCOME_OK, answeredOutcome, noteOutcome } from "./call-outcomes";
import { callBody, post, startBody } from "./edge-call";
import { Epoch } from "../state/epoch";
import { MARK_REFRESH, markRecord } from "../table/mark-record";
import { readLogCursor, logOfCursor } from "../table/log-cursor";
import { Root } from "../state/roots";
import { Table } from "../state/table";
import { acknowledgeCounters, writeCounters } from "./report-counters";
import { addRow, rowCount, startRows } from "./report-rows";
import { setCount } from "../table/session-table";
import { SetCopy } from "../table/set-copy";
import {
  MAX_ROW_BYTES,
  MAX_TAGS,
  MAX_TAG_BYTES,
  TAGS_FRAME_BYTES,
  startUsage,
  usedTags,
  writeRow,
  writeTags,
} from "./usage-rows";
import { vmId } from "../vm/vm-id";

/** What the records of a set may add: each pair of a record and an annex may be of other limits. */
const MAX_SET_BYTES: u32 = RECORDS_PER_SET * MAX_ROW_BYTES;
const MAX_TAGS_OF_SET: u32 = RECORDS_PER_SET / 2;
/** What follows the rows. */
const BODY_END_BYTES: u32 = 32;
/** The control plane commits in groups; past this it is taken to be gone. */
const REPORT_TIMEOUT_MS: u32 = 5000;

const REPORT = utf8(PATH_REPORT);
const BODY_LIMIT: usize = callBody + MAX_EDGE_BODY_BYTES - TAGS_FRAME_BYTES - BODY_END_BYTES;

/** One report is out a VM, whichever its root. */
let outOfRoot: u32 = 0;
let callId: u32 = 0;
/** It did not hold all there was to report. */
let more: bool = false;

/** On a tick: reports if the interval has passed or something waits for room, unless a report is out. */
export function reportIfDue(root: Root, nowUs: u64): void {
  const table = root.table;
  if (outOfRoot != 0) return;
  if (nowUs < table.nextReportAtUs && !table.dirty.urgent) return;
  table.dirty.urgent = false;
  table.nextReportAtUs = nowUs + <u64>root.epoch.policy.reportIntervalMs * 1000;
  sendReport(root, nowUs);
}

function sendReport(root: Root, nowUs: u64): void {
  const table = root.table;
  let end = writeAscii(startBody(table, callBody), ',"worker":"');
  end = writeHexU64(writeAscii(writeHexU64(end, vmId()), '","build":"'), buildId());
  end = writeAscii(writeCounters(writePolicy(root.epoch, writeAscii(end, '",'))), ',"usage":[');
  end = writeRows(table, end, nowUs);
  end = writeTags(writeAscii(end, "]"));
  end = writeAscii(end, more ? ',"more":true}' : ',"more":false}');
  if (!post(table, CALL_REPORT, REPORT, callBody, end, REPORT_TIMEOUT_MS)) {
    count(REPORT_FAILURES);
    return;
  }
  outOfRoot = root.id;
  callId = sentCallId();
}

/** What this worker runs: the control plane knows what the fleet runs from here. */
function writePolicy(epoch: Epoch, at: usize): usize {
  let end = writeAscii(writeAscii(at, '"policy":{"source":"'), epoch.sourceWord);
  end = writeDecimal(writeAscii(end, '","generation":'), epoch.generation);
  if (!epoch.isNone) end = writeAscii(writeHexU64(writeAscii(end, ',"hash":"'), epoch.hash), '"');
  return writeAscii(end, "}");
}

/** Writes a row for each record that was spent in, as far as they fit. Returns the end. */
function writeRows(table: Table, start: usize, nowUs: u64): usize {
  let end = start;
  startRows();
  startUsage();
  more = false;
  const sets = setCount(table);
  table.dirty.fit(sets);
  table.dirty.startRound();
  for (let index = table.dirty.nextMarked(); index >= 0; index = table.dirty.nextMarked()) {
    if (rowCount() + RECORDS_PER_SET > MAX_REPORT_ROWS || !hasRoomForSet(end)) {
      table.dirty.endRoundBefore(index);
      more = true;
      break;
    }
    end = writeRowsOfSet(table, index, end, nowUs, start);
  }
  return end;
}

/** Room for the rows of one more set, and for the names of their limits behind all rows. */
function hasRoomForSet(end: usize): bool {
  const tags = usedTags() + MAX_TAGS_OF_SET;
  return tags <= MAX_TAGS && end + MAX_SET_BYTES + tags * MAX_TAG_BYTES <= BODY_LIMIT;
}

function writeRowsOfSet(table: Table, index: u32, at: usize, nowUs: u64, start: usize): usize {
  let end = at;
  const set = SetCopy.at(table, index);
  const marked = table.dirty.slotsOf(index);
  for (let slot: u32 = 0; slot < RECORDS_PER_SET; slot++) {
    if ((marked & ((<u16>1) << (<u16>slot))) == 0) continue;
    const record = recordAt(set, slot);
    // A provisional record is asked for first; its mark is made again by its confirmation.
    if (set == 0 || !isDirty(record)) {
      table.dirty.unmark(index, slot);
      continue;
    }
    if (end != start) end = writeAscii(end, ",");
    end = writeRow(table, set, record, end, nowUs);
    addRow(recordSessionIdOf(record), revOf(record), index);
  }
  return end;
}

/** Whether this answer is that of the report that is out. */
export function isReport(rootId: u32, answered: u32): bool {
  return outOfRoot == rootId && callId == answered;
}

/** The report came back. Without an answer the marks stay, and its rows go again with the next. */
export function finishReport(table: Table, bodyBytes: u32): void {
  outOfRoot = 0;
  let outcome = answeredOutcome();
  const isRead = outcome == OUTCOME_OK && bodyBytes <= MAX_EDGE_ANSWER_BYTES;
  const answer = isRead ? readReportAnswer(callResponseBody(bodyBytes)) : null;
  if (outcome == OUTCOME_OK && answer == null) outcome = OUTCOME_MALFORMED;
  noteOutcome(table, CALL_REPORT, outcome);
  if (answer == null) {
    count(REPORT_FAILURES);
    return;
  }
  acknowledgeRows(table, answer.log);
  acknowledgeCounters();
  readLogCursor(table);
  const log = logOfCursor();
  for (let i = 0; i < answer.refresh.length; i++) markRecord(table, answer.refresh[i], MARK_REFRESH, log);
  // What did not fit goes with the next tick.
  if (more) table.dirty.urgent = true;
}

/** The root is gone: its report's answer will not come. */
export function dropReportOf(rootId: u32): void {
  if (outOfRoot == rootId) outOfRoot = 0;
}
