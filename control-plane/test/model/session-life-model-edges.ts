// Commands of edges: sessions are acquired, what was spent is reported, and the log is watched.
import fc from "fast-check";
import { expect } from "vitest";

import { acquireSessions } from "../../src/app/edges/acquire-session.js";
import { reportUsage } from "../../src/app/edges/report-usage.js";
import type { RowOfReport } from "../../src/app/edges/report-usage.js";
import { expectWatchTells } from "./session-life-model-checks.js";
import { anySession } from "./session-life-model-clients.js";
import { command } from "./session-life-model-command.js";
import { INSTANCES, LIMIT_NAMES } from "./session-life-model.js";
import type { ModelInstance, SessionLifeModel } from "./session-life-model.js";
import { levelIn, levelOf, limitsOf } from "./session-life-model-levels.js";
import type { ModelSession, Spent } from "./session-life-model-stored.js";

const anyInstance = fc.constantFrom(...INSTANCES);

const anyLevel = fc.integer({ min: -5_000_000, max: 60_000_000 });
/** unsent: spent, and reported with a later row only. */
const row = fc.record({
  one: anySession,
  kind: fc.constantFrom("new", "new", "new", "repeated", "older", "unsent"),
  revs: fc.integer({ min: 1, max: 3 }),
  tokens: fc.nat(30),
  levelMicro: anyLevel,
  limits: fc.option(fc.dictionary(fc.constantFrom(...LIMIT_NAMES), anyLevel, { minKeys: 1 }), { nil: undefined }),
  idleMs: fc.constantFrom(0, 400, 5000, 70_000, 700_000),
});
/** With what the asker says of sessions: mostly of the one that it asks about. */
const ask = fc.record({
  one: anySession,
  asker: anyInstance,
  rows: fc.array(row, { maxLength: 2 }),
  own: fc.boolean(),
});

const acquire = command("acquire", ask, async ({ one, asker, rows: said, own }, model, life) => {
  const id = model.idAt(one);
  const rows = rowsOf(said, model, asker, own ? id : undefined);
  const spent = { rows, malformed: [] };
  const [answer] = (await acquireSessions(life.process.ports, [id], asker, spent)) ?? [];
  take(
    model,
    asker,
    rows.filter(({ sessionId }) => sessionId === id),
  );
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
  const level = levelOf(model, session, figures);
  const limits = model.planOf(session)?.limits ?? [];
  const levels = [...limitsOf(model, session, asker.edge, figures)].map(([name, at]) => {
    const limit = limits.find((one) => one.name === name);
    return [name, limit === undefined ? at.levelMicro : levelIn(limit, at, model.nowMs)];
  });
  const budget = model.planOf(session)?.tokenBudget ?? null;
  const budgetSpent = budget !== null && model.consumedOf(session) >= budget;
  const further = levels.length === 0 ? {} : { levels: Object.fromEntries(levels) as object };
  return { ...answer, plan: session.plan.id, level, ...further, budgetSpent };
}

type RowSaid = typeof row extends fc.Arbitrary<infer Said> ? Said : never;
type Use = Pick<RowSaid, "revs" | "tokens" | "levelMicro" | "limits">;
const report = fc.record({ instance: anyInstance, more: fc.boolean(), rows: fc.array(row, { maxLength: 4 }) });

const reportSpent = command("report", report, async (said, model, life) => {
  const { instance, more } = said;
  const rows = rowsOf(said.rows, model, instance);
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

/** What the instance says, of the session if one is given. */
function rowsOf(
  said: readonly RowSaid[],
  model: SessionLifeModel,
  instance: ModelInstance,
  only?: string,
): readonly RowOfReport[] {
  const rows: RowOfReport[] = [];
  for (const { one, kind, idleMs, ...use } of said) {
    const sessionId = only ?? model.idAt(one);
    const all = historyOf(model, sessionId, instance);
    if (kind === "new" || kind === "unsent") all.push(spentMore(all.at(-1), use));
    const sent = kind === "older" ? all[Math.floor(all.length / 2)] : all.at(-1);
    if (kind !== "unsent" && sent !== undefined) rows.push({ sessionId, idleMs, ...sent });
  }
  return rows;
}

function historyOf({ spent }: SessionLifeModel, id: string, { instance }: ModelInstance): Spent[] {
  const all = spent.get(`${id} ${instance}`) ?? [];
  spent.set(`${id} ${instance}`, all);
  return all;
}

function spentMore(last: Spent | undefined, { revs, tokens, levelMicro, limits }: Use): Spent {
  const { rev, consumed } = last ?? { rev: 0, consumed: 0 };
  return { rev: rev + revs, consumed: consumed + tokens, levelMicro, ...(limits && { limits }) };
}

/** Of each session the row of the highest rev counts; and before it the highest that tells of limits, if it does not. */
function take(model: SessionLifeModel, instance: ModelInstance, rows: readonly RowOfReport[]): void {
  for (const id of new Set(rows.map(({ sessionId }) => sessionId))) {
    const own = rows.filter(({ sessionId }) => sessionId === id);
    const newest = highest(own);
    const ofLimits = highest(own.filter(({ limits }) => limits !== undefined));
    const counting = ofLimits !== undefined && ofLimits.rev < (newest?.rev ?? 0) ? [ofLimits, newest] : [newest];
    const session = model.stored.sessions.get(id);
    if (session === undefined) continue;
    const news = counting.filter((one) => one !== undefined && takeRow(model, session, instance, one));
    if (news.length > 0) model.tellBudget(session);
  }
}

/** The last of those with the highest rev. */
const highest = (rows: readonly RowOfReport[]): RowOfReport | undefined =>
  rows.reduce<RowOfReport | undefined>((most, one) => (one.rev >= (most?.rev ?? 0) ? one : most), undefined);

/** News only if its rev is higher than what is known. What it does not say of limits stays. */
function takeRow(
  { nowMs }: SessionLifeModel,
  session: ModelSession,
  { instance }: ModelInstance,
  { idleMs, limits = {}, rev, consumed, levelMicro }: RowOfReport,
): boolean {
  const before = session.rows.get(instance);
  if (rev <= (before?.rev ?? 0)) return false;
  const atMs = nowMs - idleMs;
  const all = new Map(before?.limits ?? []);
  for (const [name, level] of Object.entries(limits)) all.set(name, { levelMicro: level, atMs });
  session.rows.set(instance, { rev, consumed, levelMicro, atMs, reportedAtMs: nowMs, limits: all });
  const isOver = session.revokedAt !== null || session.idleEnded;
  if (!isOver) session.lastActivity = Math.max(session.lastActivity, atMs);
  return true;
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
