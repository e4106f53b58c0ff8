// Commands of edges: sessions are acquired, what was spent is reported, and the log is watched.
import fc from "fast-check";
import { expect } from "vitest";

import { acquireSession } from "../../src/app/edges/acquire-session.js";
import { reportUsage } from "../../src/app/edges/report-usage.js";
import type { RowOfReport } from "../../src/app/edges/report-usage.js";
import { expectWatchTells } from "./session-life-model-checks.js";
import { anySession } from "./session-life-model-clients.js";
import { command } from "./session-life-model-command.js";
import { INSTANCES } from "./session-life-model.js";
import type { ModelInstance, SessionLifeModel } from "./session-life-model.js";
import type { Spent } from "./session-life-model-stored.js";

const anyInstance = fc.constantFrom(...INSTANCES);

const acquire = command("acquire", fc.tuple(anySession, anyInstance), async ([one, asker], model, life) => {
  const id = model.idAt(one);
  const answer = await acquireSession(life.process.ports, id, asker);
  expect(answer).toEqual({ ...acquired(model, id, asker), generation: 1, log: model.log, cursor: model.cursor });
});

/** What acquiring must answer, with what it does to the model. */
function acquired(model: SessionLifeModel, id: string, asker: ModelInstance): object {
  model.noteContact(asker);
  const session = model.stored.sessions.get(id);
  if (session === undefined) return { state: "unknown", endsInMs: 5000, consumed: 0, rev: 0 };
  if (model.isIdle(session)) session.idleEnded = true;
  const state = model.stateOf(session);
  const own = session.rows.get(asker.instance) ?? null;
  const { consumed, rev } = own ?? { consumed: 0, rev: 0 };
  const answer = { state, endsInMs: Math.max(0, model.endsAt(session) - model.nowMs), consumed, rev };
  if (state !== "live") return answer;
  session.lastActivity = model.nowMs;
  session.rows.set(asker.instance, own);
  const figures = own ?? model.lastReport(session, asker.edge)?.figures ?? null;
  const level = Math.max(0, model.levelOf(session, figures));
  const budget = model.planOf(session)?.tokenBudget ?? null;
  const budgetSpent = budget !== null && model.consumedOf(session) >= budget;
  return { ...answer, plan: session.plan.id, level, budgetSpent };
}

/** unsent: spent, and reported with a later row only. */
const row = fc.record({
  one: anySession,
  kind: fc.constantFrom("new", "new", "new", "repeated", "older", "unsent"),
  revs: fc.integer({ min: 1, max: 3 }),
  tokens: fc.nat(30),
  levelMicro: fc.integer({ min: -5_000_000, max: 60_000_000 }),
  idleMs: fc.constantFrom(0, 400, 5000, 70_000, 700_000),
});
const report = fc.record({ instance: anyInstance, more: fc.boolean(), rows: fc.array(row, { maxLength: 4 }) });

const reportSpent = command("report", report, async (said, model, life) => {
  const { instance, more } = said;
  const rows: RowOfReport[] = [];
  for (const { one, kind, idleMs, ...use } of said.rows) {
    const sessionId = model.idAt(one);
    const all = historyOf(model, sessionId, instance);
    if (kind === "new" || kind === "unsent") all.push(spentMore(all.at(-1), use));
    const sent = kind === "older" ? all[Math.floor(all.length / 2)] : all.at(-1);
    if (kind !== "unsent" && sent !== undefined) rows.push({ sessionId, idleMs, ...sent });
  }
  const answer = await reportUsage(life.process.ports, { ...instance, worker: "", rows, malformed: [], more });
  take(model, instance, rows);
  model.noteContact(instance, { more });
  const sessions = [...new Set(rows.map(({ sessionId }) => sessionId))];
  const refresh = sessions.filter((id) => {
    const session = model.stored.sessions.get(id);
    return session === undefined || model.stateOf(session) !== "live";
  });
  expect({ ...answer, refresh: [...(answer?.refresh ?? [])].sort() }).toEqual({
    log: model.log,
    refresh: refresh.sort(),
  });
});

function historyOf({ spent }: SessionLifeModel, id: string, { instance }: ModelInstance): Spent[] {
  const all = spent.get(`${id} ${instance}`) ?? [];
  spent.set(`${id} ${instance}`, all);
  return all;
}

function spentMore(last: Spent | undefined, use: { revs: number; tokens: number; levelMicro: number }): Spent {
  const { rev, consumed } = last ?? { rev: 0, consumed: 0 };
  return { rev: rev + use.revs, consumed: consumed + use.tokens, levelMicro: use.levelMicro };
}

/** Of each session the row of the highest rev counts, if it is higher than what is known. */
function take(model: SessionLifeModel, { instance }: ModelInstance, rows: readonly RowOfReport[]): void {
  const highest = new Map<string, RowOfReport>();
  for (const one of rows) if (one.rev >= (highest.get(one.sessionId)?.rev ?? 0)) highest.set(one.sessionId, one);
  for (const { sessionId, idleMs, ...spent } of highest.values()) {
    const session = model.stored.sessions.get(sessionId);
    if (session === undefined || spent.rev <= (session.rows.get(instance)?.rev ?? 0)) continue;
    const atMs = model.nowMs - idleMs;
    session.rows.set(instance, { ...spent, atMs, reportedAtMs: model.nowMs });
    const isOver = session.revokedAt !== null || session.idleEnded;
    if (!isOver) session.lastActivity = Math.max(session.lastActivity, atMs);
    model.tellBudget(session);
  }
}

const cursor = fc.record({ instance: anyInstance, back: fc.integer({ min: -2, max: 12 }), ofOtherLog: fc.boolean() });

const watch = command("watch", cursor, async ({ instance, back, ofOtherLog }, model, life) => {
  const log = ofOtherLog ? "00000000000000ff" : model.log;
  await expectWatchTells(model, life, { ...instance, log, since: Math.max(0, model.cursor - back) });
  if (!ofOtherLog) model.noteContact(instance);
});

export const OF_EDGES = [
  ...[acquire, acquire, acquire, acquire],
  ...[reportSpent, reportSpent, reportSpent, reportSpent, reportSpent],
  watch,
];
