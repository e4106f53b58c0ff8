// The rules of several limits a session, each taken out by itself.
import { app, filter, without, type Mutation } from "./mutation.js";

const BUCKETS = "assembly/domain/limits/buckets.ts";
const MADE = "assembly/domain/limits/answered-limits.ts";
const SETS = "assembly/domain/table/set.ts";
const ANNEX = "assembly/domain/table/annex.ts";
const RECORD = "assembly/domain/table/record.ts";
const BUCKET = "assembly/domain/table/bucket.ts";

export const RULES_OF_LIMITS: readonly Mutation[] = [
  {
    rule: "nothing is spent from a limit where another denies",
    replacements: [
      {
        file: filter("request/spend-limits"),
        find: "    noteLimitsDenial(request, limits, denying, verdict);\n",
        by:
          "    noteLimitsDenial(request, limits, denying, verdict);\n    if (denying != 0) {\n" +
          "      store<i64>(buckets, levelOf(buckets, 0) - <i64>cost * 1000000000000);\n      putLevels(buckets, record, annex);\n" +
          "      noteSpent(record, 0, verdict.readAtUs);\n    }\n",
      },
      {
        file: filter("request/spend"),
        find: "    if (spent != ALLOWED) return spent;\n",
        by: "    if (spent == LIMITED) writeSet(set, sharedCas());\n    if (spent != ALLOWED) return spent;\n",
      },
    ],
  },
  without(
    "each limit that a request spends from may deny it",
    BUCKETS,
    "if (cost == 0 || cost == NOT_SPENT || levelOf(buckets, limit) >= toPico(cost)) continue;",
    "if (cost == 0 || cost == NOT_SPENT || limit > 1 || levelOf(buckets, limit) >= toPico(cost)) continue;",
  ),
  without(
    "a route's cost of a limit counts for that limit",
    BUCKETS,
    "if (left != 0 && load<u32>(next) == nameId) own = load<u32>(next, 4);",
  ),
  without(
    "a limit of some routes is not spent from by others",
    BUCKETS,
    ".applies != 0 ? cost : NOT_SPENT",
    ".applies != 0 ? cost : cost",
  ),
  without(
    "all levels are refilled to one moment",
    BUCKETS,
    "refill(buckets + (limit << 3), remainderAt,",
    "if (costOf(buckets, limit) != NOT_SPENT) refill(buckets + (limit << 3), remainderAt,",
  ),
  without("a bucket that is full has no remainder", BUCKET, "  store<u16>(remainderAt, 0);\n"),
  without("a remainder of another rate counts as none", BUCKET, "(held < rateUs ? held : 0);", "held;"),
  without("an annex goes when its record ends", filter("table/mark-record"), "  releaseAnnex(set, record);\n"),
  without(
    "an annex goes when an answer ends its record",
    filter("table/insert"),
    "if (!hasFlag(record, FLAG_UNCONFIRMED)) releaseAnnex(set, record);",
  ),
  without(
    "an annex is evicted only with its record",
    SETS,
    "return isOrphan(set, record) ? RANK_EMPTY : RANK_NEVER;",
    "return isOrphan(set, record) ? RANK_EMPTY : RANK_ENDED;",
  ),
  without("a record is evicted with its annex", ANNEX, "  if (isRecord(record)) releaseAnnex(set, record);\n"),
  without(
    "an annex is no record",
    RECORD,
    "return state == RECORD_LIVE || state == RECORD_ENDED;",
    "return state != RECORD_EMPTY;",
  ),
  without(
    "only an annex of the plan's limits is spent from",
    ANNEX,
    "annexTagOf(annex) == tag ? annex : 0",
    "tag != 0 ? annex : 0",
  ),
  {
    rule: "an answer never raises a limit that is there",
    replacements: [
      { file: MADE, find: "if (isSame && isSure) continue;", by: "" },
      { file: MADE, find: "  if (answered >= load<i64>(levelAt)) return;\n", by: "" },
    ],
  },
  without(
    "an answer lowers limits that are not confirmed",
    MADE,
    "if (isSame && isSure) continue;",
    "if (isSame) continue;",
  ),
  without("levels of a limit that stays are kept by its name", MADE, "names.indexOf(name)", "<i32>limit - 1"),
  without(
    "a limit that an annex lacks begins with the answer's level",
    MADE,
    "if (answer !== null) lower(",
    "if (answer !== null && own >= 0) lower(",
  ),
  without(
    "an ask says what was spent from limits that are not the plan's",
    filter("edge/acquire"),
    'end == at ? at : writeTags(writeAscii(end, "]"))',
    "at",
  ),
  without(
    "what an ask says of levels is taken before it is answered",
    app("edges/acquire-session"),
    "const rows = rowsThatCount(spent.map((row) => reportedRow(row, asker, nowMs)));",
    "const rows: ReturnType<typeof reportedRow>[] = [];\n  void [spent, reportedRow, rowsThatCount];",
  ),
  without(
    "an answer never replaces levels that its ask did not say",
    filter("table/insert"),
    "if (record != 0 && wouldLoseLevels(root.epoch, set, record, answer.planId, saidTag)) return ANSWER_STALE;",
  ),
  without(
    "workers tell each other which limits a tag stands for",
    filter("table/limits"),
    "if (annex != 0) learnTag(root.table, annexTagOf(annex));",
  ),
  without(
    "levels of a limit that is taken away are kept",
    "control-plane/src/domain/limit-levels.ts",
    "return Object.fromEntries([...news, ...others",
    "return Object.fromEntries([...news, ...others.slice(0, 0)",
  ),
  without(
    "levels are read by the names of their tag",
    "control-plane/src/http/edge/usage-rows.ts",
    "names.map((name, index) => [name, levels[index] ?? 0])",
    "names.map((name, index) => [name, levels[names.length - 1 - index] ?? 0])",
  ),
  without(
    "a denial by a limit says nothing of requests that do not spend from it",
    filter("request/recent-denials"),
    "  if (denying == NO_LIMIT) return false;\n",
    "  if (denying == NO_LIMIT) {\n    verdict.limit = 0;\n    return true;\n  }\n",
  ),
  without(
    "a denial by a limit is repeated for a tenth of a second at most",
    filter("request/recent-denials"),
    "const MEMORY_US: u64 = 100000;",
    "const MEMORY_US: u64 = 10000000;",
  ),
];
