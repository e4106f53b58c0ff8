// The control plane's answers to report and watch (docs/edge-protocol.md), read strictly: garbage is no answer.
import { MAX_WATCH_ENTRIES } from "../../contract";
import { FIELD_FOUND, getBool, getU64 } from "../json/fields";
import { JSON_ARRAY, JSON_OBJECT, JSON_STRING, JsonNode } from "../json/node";
import { readJson } from "../json/reader";
import { readLog } from "./log-id";

export class ReportAnswer {
  constructor(
    public log: u64,
    /** Session ids: each is to be asked about again. */
    public refresh: string[],
  ) {}
}

export class WatchAnswer {
  constructor(
    public log: u64,
    public cursor: u64,
    /** The log no longer goes back to the edge's cursor: begin anew at `cursor`. */
    public reset: bool,
    public revoked: string[],
    public refresh: string[],
  ) {}
}

/** The answer to a report, or null if the body is none. */
export function readReportAnswer(body: string): ReportAnswer | null {
  const root = objectIn(body);
  if (root === null) return null;
  const log = readLog(root);
  const refresh = idsOf(root, "refresh");
  return log == 0 || refresh === null ? null : new ReportAnswer(log, refresh);
}

/** The answer to a watch, or null if the body is none. */
export function readWatchAnswer(body: string): WatchAnswer | null {
  const root = objectIn(body);
  if (root === null) return null;
  const log = readLog(root);
  const cursor = getU64(root, "cursor");
  const reset = getBool(root, "reset");
  const revoked = idsOf(root, "revoked");
  const refresh = idsOf(root, "refresh");
  if (log == 0 || cursor.state != FIELD_FOUND || revoked === null || refresh === null) return null;
  return new WatchAnswer(log, cursor.value, reset.state == FIELD_FOUND && reset.value, revoked, refresh);
}

function objectIn(body: string): JsonNode | null {
  const root = readJson(body).root;
  return root !== null && root.kind == JSON_OBJECT ? root : null;
}

/** A member that is a list of strings; absent is empty; null if it is anything else. */
function idsOf(object: JsonNode, name: string): string[] | null {
  const ids: string[] = [];
  const at = object.names.indexOf(name);
  if (at < 0) return ids;
  const list = object.items[at];
  if (list.kind != JSON_ARRAY || <u32>list.items.length > MAX_WATCH_ENTRIES) return null;
  for (let i = 0; i < list.items.length; i++) {
    if (list.items[i].kind != JSON_STRING) return null;
    ids.push(list.items[i].text);
  }
  return ids;
}
