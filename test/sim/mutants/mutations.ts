// The rules without which an invariant breaks, each taken out of a copy of the sources by replacing text.

import { app, filter, without, type Mutation } from "./mutation.js";
import { RULES_OF_LEASES } from "./lease-mutations.js";
import { RULES_OF_LIMITS } from "./limit-mutations.js";
import { RULES_OF_POLICIES } from "./policy-mutations.js";
import { RULES_OF_SETTLING } from "./settle-mutations.js";

const FRESH = "!isUpToDate(table, answer.log, answer.cursor)";
const FOUND_VALUE = "await ofOneLog(ports, asked, (one) => holdOrLook(ports, one))";
const FOUND = `const found = ${FOUND_VALUE};`;

const RULES_OF_SESSIONS: readonly Mutation[] = [
  without(
    "the leader raises seen first",
    filter("edge/watch"),
    "if (!raiseSeen(table, answer.log, answer.cursor)) return true;",
  ),
  without(
    "every named set is written, also where nothing changes in it",
    filter("table/mark-record"),
    "if (record != 0) mark(set, record, ended);",
    "if (record == 0) return true;\n    mark(set, record, ended);",
  ),
  without(
    "the cursor is raised last",
    filter("edge/watch"),
    "let written = true;",
    "let written = raiseCursor(table, answer.log, answer.cursor);",
  ),
  without(
    "the leader writes only while the log is the one of its watch",
    filter("table/mark-record"),
    "if (logOfCursor() != log) return false;",
  ),
  {
    rule: "a cursor is never raised in another log",
    replacements: [
      {
        file: filter("table/log-cursor"),
        find: "if (logOfCursor() != log) return false;",
        by: "",
      },
      {
        file: filter("table/mark-record"),
        find: "if (logOfCursor() != log) return false;",
        by: "",
      },
    ],
  },
  {
    rule: "who inserts reads the set before the cursor",
    replacements: [
      {
        file: filter("table/insert"),
        find: "const set = SetCopy.ofSession(table, sessionIdOf(token));\n    if (set == 0) {\n      if (!mayInsert)",
        by:
          "const stale = live && " +
          FRESH +
          ";\n    const set = SetCopy.ofSession(table, sessionIdOf(token));\n    if (set == 0) {\n      if (!mayInsert)",
      },
      {
        file: filter("table/insert"),
        find: `if (${FRESH}) return ANSWER_STALE;`,
        by: "if (stale) return ANSWER_STALE;",
      },
    ],
  },
  without(
    "an answer with a cursor below seen is asked again",
    filter("table/log-cursor"),
    "return seenLogOfCursor() == log && cursor >= seenNumberOfCursor();",
    "return seenLogOfCursor() == log;",
  ),
  without(
    "an answer of another log is asked again",
    filter("table/log-cursor"),
    "return seenLogOfCursor() == log && cursor >= seenNumberOfCursor();",
    "return seenLogOfCursor() != log || cursor >= seenNumberOfCursor();",
  ),
  without(
    "no acquire answer changes the log",
    filter("table/log-cursor"),
    "if (seenLogOfCursor() == NO_LOG) beginLog(table, log, cursor);\n  return",
    "if (seenLogOfCursor() != log) {\n    setLog(log, cursor);\n    setSeen(log, cursor);\n    writeLogCursor(table);\n  }\n  return",
  ),
  without(
    "revoked raises seen before it is written",
    filter("table/insert"),
    "if (answer.state == ANSWER_REVOKED) raiseSeen(table, answer.log, answer.cursor);",
  ),
  without(
    "no answer makes an ended record live",
    "assembly/domain/edge/answered-record.ts",
    "return !isLive(record) && !hasFlag(record, FLAG_UNCONFIRMED) && !isPastEnd(record, nowUs);",
    "return false;",
  ),
  {
    rule: "an ask that was sent while a record stood never inserts",
    replacements: [
      { file: filter("table/insert"), find: "if (record == 0 && !mayInsert) return ANSWER_STALE;", by: "" },
      { file: filter("table/insert"), find: "const slot = mayInsert ?", by: "const slot = mayInsert || live ?" },
    ],
  },
  without(
    "an answer older than ANSWER_VALID_MS counts for nothing",
    filter("table/insert"),
    "if ((mayInsert || isProvisional(record)) && isLate(askedAtUs)) return ANSWER_STALE;",
  ),
  without(
    "the sweep asks about provisional records",
    filter("table/sweep"),
    "if (isProvisional(record)) noteProvisional(table, recordTokenOf(record));",
    "if (isProvisional(record)) continue;",
  ),
  without(
    "a confirmation adds, and acknowledges only what was taken",
    "assembly/domain/edge/answered-record.ts",
    "setAckedRev(record, answer.rev);\n  clearFlag",
    "setAckedRev(record, revOf(record));\n  clearFlag",
  ),
  without(
    "a session that waited in vain to be asked about is not admitted unverified",
    filter("request/acquire-answer"),
    "finishAsks(takeOverdue(nowUs), ASKED_TOO_LATE);",
    "finishAsks(takeOverdue(nowUs), NO_ANSWER);",
  ),
  without(
    "a request that was answered three times is not admitted unverified",
    filter("request/admit"),
    "if (request.asks == MAX_ASKS) return admitUnanswered(request, verdict, UNCONFIRMED);",
    "if (request.asks == MAX_ASKS) return admitUnreachable(request, verdict);",
  ),
  without(
    "each session of a call has its own answer",
    filter("request/acquire-answer"),
    "if (next != NONE) answer = answerOf(answers, sessionIdOf(askToken(next)));",
  ),
  without(
    "an ask in a call of many remembers whether a record stood",
    filter("request/acquire-answer"),
    "hasAskFlag(ask, ASK_INSERTS)",
    "true",
  ),
  without("ackedRev is never above rev", filter("edge/acknowledge"), "if (acked > rev) return false;"),
  without(
    "ackedRev is never raised in a provisional record",
    filter("edge/acknowledge"),
    "if (record == 0 || isProvisional(record)) return false;",
    "if (record == 0) return false;",
  ),
  without(
    "ackedRev is raised only if the log is seenLog",
    filter("edge/acknowledge"),
    "if (seenLogOfCursor() != log) return;",
  ),
  {
    rule: "a mark goes only when the acknowledged rev is the record's (without the sweep, which heals it)",
    replacements: [
      { file: filter("edge/acknowledge"), find: "if (acked == rev) table.dirty", by: "table.dirty" },
      { file: filter("table/sweep"), find: "table.dirty.mark(index, slot);", by: "" },
    ],
  },
  without("the sweep finds what a reloaded VM forgot", filter("table/sweep"), "table.dirty.mark(index, slot);"),
  without("a reset clears ackedRev", filter("edge/reset"), "setAckedRev(record, 0);"),
  without(
    "a reset leaves records unconfirmed",
    filter("edge/reset"),
    "setFlag(record, FLAG_REFRESH | FLAG_UNCONFIRMED);",
    "setFlag(record, FLAG_REFRESH);",
  ),
  without(
    "only reported records are evicted",
    "assembly/domain/table/set.ts",
    "return revOf(record) == ackedRevOf(record) && !isProvisional(record);",
    "return !isProvisional(record);",
  ),
  without(
    "provisional records are not evicted",
    "assembly/domain/table/set.ts",
    "return revOf(record) == ackedRevOf(record) && !isProvisional(record);",
    "return revOf(record) == ackedRevOf(record) || isProvisional(record);",
  ),
  without(
    "a report is answered only when its rows are durable",
    app("edges/report-usage"),
    "const committed = await commits.commit(rows);",
    "const committed: Awaited<ReturnType<typeof commits.commit>> = new Map();\n  void commits.commit(rows);",
  ),
  without(
    "a positive answer's cursor is no younger than its look at the session",
    app("edges/acquire-session"),
    FOUND,
    `const looked = ${FOUND_VALUE};\n  const position = await ports.store.position();\n` +
      "  const found = looked.map((one) => ({ ...one, position }));",
  ),
  without(
    "a revoked answer's cursor is no older than its look at the session",
    app("edges/acquire-session"),
    FOUND,
    `const position = await ports.store.position();\n  const looked = ${FOUND_VALUE};\n` +
      "  const isRevoked = (one: Known): boolean => (one.session?.revokedAt ?? null) !== null;\n" +
      "  const found = looked.map((one) => (isRevoked(one) ? { ...one, position } : one));",
  ),
  without(
    "being acquired counts as activity",
    app("edges/acquire-session"),
    "{ asker, atMs: nowMs, rows,",
    "{ asker, atMs: 0, rows,",
  ),
  without(
    "after its start the control plane counts idle time anew",
    "control-plane/src/domain/idleness.ts",
    "Math.min(elapsedMs(session.lastActivity), listeningMs)",
    "elapsedMs(session.lastActivity)",
  ),
  without(
    "while an instance that holds a session is behind, it is not idle",
    "control-plane/src/domain/idleness.ts",
    '?? others) !== "behind"',
    "?? others) !== undefined",
  ),
  without(
    "a session's state and its log entry are one transaction",
    "test/sim/parts/sim-store.ts",
    "this.append(kind, sessionId, atMs);",
    "void this.commit(() => {\n          this.append(kind, sessionId, atMs);\n        });",
  ),
  {
    rule: "an absent set is created first, and read again",
    replacements: [
      {
        file: filter("table/set-copy"),
        find: "  private static take(): usize {",
        by:
          "  static ofNew(table: Table, sessionId: usize): usize {\n    const found = SetCopy.ofSession(table, sessionId);\n" +
          "    if (found != 0 || table.setMask == 0) return found;\n    index = lastSetIndex();\n    cas = 0xffffffff;\n" +
          "    memory.fill(copy, 0, SET_BYTES);\n    return copy;\n  }\n\n  private static take(): usize {",
      },
      { file: filter("table/insert"), find: "SetCopy.ofSession(", by: "SetCopy.ofNew(" },
    ],
  },
  without(
    "figures of gone instances are kept",
    app("edges/acquire-session"),
    FOUND,
    `const all = ${FOUND_VALUE};\n  const found = all.map((one) => ({ ...one, rows: one.rows.filter((row) => ` +
      'ports.instances.status(row, 0) !== "gone") }));',
  ),
  without(
    "a restored backup gets a new log",
    "test/sim/faults/fault-injector.ts",
    "world.store.restore(this.#backup, log);",
    "world.store.restore(this.#backup, world.store.log);",
  ),
  {
    rule: "an edge is told to begin another log of the store",
    replacements: [
      {
        file: app("edges/watches"),
        find: 'if (request.log !== position.log) return this.ended(request, "reset", answeredBy(resetTo(position)));',
        by: "void resetTo;",
      },
      {
        file: app("edges/watches"),
        find: "this.parts.log.read(since, MAX_WATCH_ENTRIES)",
        by: "this.parts.log.read({ ...(await this.parts.log.position()), cursor: since.cursor }, MAX_WATCH_ENTRIES)",
      },
    ],
  },
  without(
    "a set is written with the cas that it was read with",
    filter("table/session-table"),
    "return writeShared(key, KEY_BYTES, set, SET_BYTES, cas);",
    "return writeShared(key, KEY_BYTES, set, SET_BYTES, cas & 0);",
  ),
];

export const MUTATIONS: readonly Mutation[] = [
  ...RULES_OF_SESSIONS,
  ...RULES_OF_POLICIES,
  ...RULES_OF_LIMITS,
  ...RULES_OF_SETTLING,
  ...RULES_OF_LEASES,
];
