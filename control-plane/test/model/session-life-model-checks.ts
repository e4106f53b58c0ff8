// What must hold after each command of a session's life: the control plane shows what the model says, and no more.
import { expect } from "vitest";

import { showSession } from "../../src/app/sessions/show-session.js";
import { listSessions } from "../../src/app/sessions/list-sessions.js";
import { showBuckets, showUsage } from "../../src/app/sessions/show-usage.js";
import type { UsageOfEdge, UsageOfInstance } from "../../src/app/sessions/show-usage.js";
import type { WatchAnswer, WatchRequest } from "../../src/app/ports/watch-ports.js";
import type { BucketLimits } from "../../src/domain/level.js";
import { tokensPerSecond } from "../../src/domain/policy/rate.js";
import { INSTANCES, ISSUERS } from "./session-life-model.js";
import type { SessionLifeModel } from "./session-life-model.js";
import { levelIn, limitsOf } from "./session-life-model-levels.js";
import type { ModelLevel, ModelSession } from "./session-life-model-stored.js";
import type { SessionLife } from "./session-life.js";
import { settled } from "../support/watching.js";

const FOLLOWER = { edge: "gw-9", instance: "dddddddddddddddd" };
const EVERYTHING = { userId: undefined, orgId: undefined, issuer: undefined, plan: undefined, state: undefined };
const MICRO = 1_000_000;

/** Sessions, figures, log and audit are as the model has them. */
export async function expectAsModel(model: SessionLifeModel, life: SessionLife): Promise<void> {
  const { ports, store } = life.process;
  const page = await listSessions(ports, EVERYTHING, { before: undefined, limit: 1000 }, null);
  expect(page).toEqual({ sessions: model.views(), next: null });
  for (const session of model.stored.sessions.values()) {
    const { consumed } = model.viewOf(session).tokens;
    const edges = usageOf(session);
    expect(edges.reduce((sum, edge) => sum + edge.consumed, session.direct)).toBe(consumed);
    expect(await showUsage(ports, session.id, null)).toEqual({ consumed, direct: session.direct, edges });
    expect(await showBuckets(ports, session.id, null)).toEqual({ buckets: bucketsOf(model, session) });
    for (const issuer of ISSUERS) {
      const shown = await showSession(ports, session.id, { issuer, orgId: null });
      expect(shown).toEqual(issuer === session.issuer ? { session: model.viewOf(session) } : undefined);
    }
  }
  expect(await store.position()).toEqual({ log: model.log, cursor: model.cursor });
  const [newest] = await store.audit.auditBefore(undefined, 1);
  expect([newest?.number ?? 0, newest?.action]).toEqual([model.stored.audited.length, model.stored.audited.at(-1)]);
  const gone = model.ever.filter((id) => !model.stored.sessions.has(id));
  expect(await life.engine.tracesOf(gone)).toEqual([]);
}

function usageOf({ rows }: ModelSession): UsageOfEdge[] {
  return [...new Set(INSTANCES.map(({ edge }) => edge))].flatMap((edge) => {
    const instances = INSTANCES.filter((one) => one.edge === edge).flatMap(({ instance }): UsageOfInstance[] => {
      const figures = rows.get(instance);
      if (figures === undefined) return [];
      const { consumed = 0, rev = 0, reportedAtMs: lastReport = null, atMs: lastActivity = null } = figures ?? {};
      return [{ instance, consumed, rev, lastReport, lastActivity }];
    });
    const consumed = instances.reduce((sum, one) => sum + one.consumed, 0);
    return instances.length === 0 ? [] : [{ edge, consumed, instances }];
  });
}

function bucketsOf(model: SessionLifeModel, session: ModelSession): object[] {
  const plan = model.planOf(session) ?? { ...session.plan, tokenRefillRate: 0, refill: null, limits: [] };
  const level = (limit: BucketLimits & { readonly name: string }, at: ModelLevel | null): object => {
    const { name, maxTokens: capacity } = limit;
    const [tokens, refillRate] = [levelIn(limit, at, model.nowMs) / MICRO, tokensPerSecond(limit)];
    return { name, capacity, tokens, refillRate, lastRefill: at?.atMs ?? null };
  };
  return [...new Set(INSTANCES.map(({ edge }) => edge))].flatMap((edge) => {
    const last = model.lastReport(session, edge);
    if (last === undefined) return [];
    const known = limitsOf(model, session, edge, last.figures);
    const limits = plan.limits.map((limit) => level(limit, known.get(limit.name) ?? null));
    return [{ edge, instance: last.instance, ...level(plan, last.figures), limits }];
  });
}

/** After the last command, once everything is long past its end and swept: of sessions the store holds nothing. */
export async function expectNothingKept({ engine }: SessionLife): Promise<void> {
  expect(await engine.kept()).toEqual([]);
}

/** What a watch from a cursor is answered, up to the number that the answer gives. */
function expectedAnswer(model: SessionLifeModel, log: string, since: number, upTo: number): WatchAnswer {
  const { trimmed } = model.stored;
  const isOutOfReach = since > model.cursor || (since < trimmed && since < model.cursor);
  if (log !== model.log || isOutOfReach) return { reset: true, log: model.log, cursor: model.cursor };
  return namingAnswer(model, log, since, upTo);
}

function namingAnswer(model: SessionLifeModel, log: string, since: number, upTo: number): WatchAnswer {
  const entries = model.stored.invalidations.slice(since, upTo);
  const named = (wanted: string): string[] => [
    ...new Set(entries.filter(({ kind }) => kind === wanted).map(({ id }) => id)),
  ];
  return { log, cursor: upTo, revoked: named("revoked"), refresh: named("refresh") };
}

/** A watch that is hung up once all that can be said without time passing has been said. */
export interface UnderWay {
  /** The process that holds it. */
  readonly by: SessionLife["process"];
  readonly hangUp: () => Promise<WatchAnswer>;
}

function watchFrom(life: SessionLife, request: Pick<WatchRequest, "edge" | "instance" | "log" | "since">): UnderWay {
  const call = new AbortController();
  const older = { policy: undefined, filter: undefined, table: undefined, address: undefined, wallMs: undefined };
  const said = { follow: true, ...older, ...request };
  const watched = life.process.watches.watch(said, call.signal);
  const hangUp = async (): Promise<WatchAnswer> => {
    await life.engine.told();
    await settled();
    call.abort();
    const ended = await watched;
    if (ended.outcome !== "answered") throw new Error(`the watch is ${ended.outcome}`);
    return ended.answer;
  };
  return { hangUp, by: life.process };
}

/** Everything past the cursor is in one answer: these runs have fewer than 1,000 invalidations. */
export async function expectWatchTells(
  model: SessionLifeModel,
  life: SessionLife,
  request: Parameters<typeof watchFrom>[1] & { log: string },
): Promise<void> {
  const { log, since } = request;
  const answer = await watchFrom(life, request).hangUp();
  // Of several processes, one may have in memory what another has trimmed. Then it names it, which is as good.
  const isRemembered = life.engine.processes > 1 && log === model.log && since < model.stored.trimmed;
  const answered = isRemembered && !("reset" in answer) ? namingAnswer : expectedAnswer;
  expect(answer).toEqual(answered(model, log, since, model.cursor));
}

/** An edge's watch that is held while a command runs: its answer has what that invalidates as soon as that is durable. */
export async function follow({ follower }: SessionLifeModel, life: SessionLife): Promise<UnderWay> {
  const underWay = watchFrom(life, { ...FOLLOWER, ...follower });
  await life.engine.told();
  await settled();
  return underWay;
}

/** The held watch has been answered with what came, and the one after it has the rest, exactly. */
export async function expectFollowed(model: SessionLifeModel, life: SessionLife, held: UnderWay): Promise<void> {
  const { log, since } = model.follower;
  const first = await held.hangUp();
  if (log === model.log) {
    expect(first).toEqual(expectedAnswer(model, log, since, Math.max(first.cursor, since)));
    // One that is held to the end of its process is answered with what there is by then.
    const isToldAll = life.isRunning(held.by) || first.cursor > since;
    if (isToldAll) expect(first.cursor > since, "the held watch was answered").toBe(model.cursor > since);
  }
  const next = { log, since: first.cursor };
  await expectWatchTells(model, life, { ...FOLLOWER, ...next });
  model.follower = { log: model.log, since: model.cursor };
}
