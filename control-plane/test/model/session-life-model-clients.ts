// Commands of login services and backends: sessions are issued, listed and consumed from.
import fc from "fast-check";
import { expect } from "vitest";

import { consumeTokens } from "../../src/app/sessions/consume-tokens.js";
import { issueSession } from "../../src/app/sessions/issue-session.js";
import type { Issued } from "../../src/app/sessions/issue-session.js";
import { listSessions } from "../../src/app/sessions/list-sessions.js";
import type { SessionFilter } from "../../src/app/sessions/list-sessions.js";
import type { SessionView } from "../../src/app/sessions/sessions.js";
import { reissueToken } from "../../src/app/sessions/reissue-token.js";
import { ownedKey } from "../../src/domain/idempotency-key.js";
import type { IssuedBy } from "../../src/domain/issued-by.js";
import type { PlanOfPolicy } from "../../src/domain/plan.js";
import { verifyToken } from "../support/verify-token.js";
import { command } from "./session-life-model-command.js";
import { DAY_MS, ISSUERS, PLAN_NAMES } from "./session-life-model.js";
import type { SessionLifeModel } from "./session-life-model.js";
import type { ModelSession, Said } from "./session-life-model-stored.js";
import { KEYS } from "./session-life.js";
import type { SessionLife } from "./session-life.js";

export const anySession = fc.record({
  among: fc.constantFrom("live" as const, "live" as const, "live" as const, "stored" as const, "ever" as const),
  index: fc.nat(30),
});
export const anyUser = fc.constantFrom("u1", "u1", "u2");
export const anyOrg = fc.constantFrom("o1", "o2");
export const anyPlan = fc.constantFrom(...PLAN_NAMES);
const perhaps = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(value, { nil: undefined });
const anyKey = fc.option(fc.constantFrom("k1", "k2", "k3", "k4", "k5"), { nil: undefined, freq: 2 });

const anyIssuer = fc.constantFrom(...ISSUERS);
/** Who asks: an issuer, one for an organisation, or an operator. */
export const anyViewer: fc.Arbitrary<IssuedBy | null> = fc.option(
  fc.record({ issuer: anyIssuer, orgId: fc.option(anyOrg, { freq: 2 }) }),
  { freq: 1 },
);

const request = fc.record({ userId: anyUser, orgId: anyOrg, issuer: anyIssuer, plan: perhaps(anyPlan) });

const create = command("create", fc.tuple(request, anyKey), async ([said, key], model, life) => {
  await createAs(said, key === undefined ? undefined : ownedKey(said.issuer, key), model, life);
});

/** With a key that was used, as it was used. */
const createAgain = command("create again", fc.nat(2), async (index, model, life) => {
  const used = [...model.stored.creations];
  const [key, made] = used[index % Math.max(1, used.length)] ?? [];
  if (made !== undefined) await createAs(made.said, key, model, life);
});

async function createAs(
  said: Said,
  key: string | undefined,
  model: SessionLifeModel,
  life: SessionLife,
): Promise<void> {
  const issued = await issueSession(life.process.ports, { ...said, metadata: {} }, key);
  const plan =
    said.plan === undefined ? model.policy.plans[0] : model.policy.plans.find((one) => one.name === said.plan);
  if (plan === undefined) {
    expect(issued).toEqual({ outcome: "unknownPlan" });
    return;
  }
  const made = key === undefined ? undefined : model.stored.creations.get(key);
  if (made !== undefined && made.atMs >= model.nowMs - DAY_MS) {
    const session = model.stored.sessions.get(made.id);
    if (!isSame(made.said, said)) expect(issued).toEqual({ outcome: "keyReused" });
    else if (session === undefined) expect(issued).toEqual({ outcome: "gone" });
    else expectIssued(issued, model, session, made.planId, true);
    return;
  }
  const before = model.liveOf(said, plan.id);
  const surplus = before.slice(0, Math.max(0, before.length + 1 - (plan.maxSessionsPerUser ?? Infinity)));
  if (surplus.length > 0 && plan.onMaxSessions === "refuse") {
    expect(issued).toEqual({ outcome: "tooManySessions" });
    return;
  }
  if (issued.outcome !== "issued") throw new Error(issued.outcome);
  for (const one of surplus) model.revoke(one);
  const session = newSession(issued.session.id, said, plan, model.nowMs);
  expect(model.ever).not.toContain(session.id);
  model.ever.push(session.id);
  model.stored.sessions.set(session.id, session);
  if (key !== undefined) {
    model.stored.creations.set(key, { said, id: session.id, planId: plan.id, atMs: model.nowMs });
  }
  expectIssued(issued, model, session, plan.id, false);
  const after = model.liveOf(said, plan.id).length;
  expect(after).toBeLessThanOrEqual(plan.maxSessionsPerUser ?? Infinity);
}

const isSame = (one: Said, other: Said): boolean =>
  one.userId === other.userId && one.orgId === other.orgId && one.plan === other.plan;

function newSession(id: string, { userId, orgId, issuer }: Said, plan: PlanOfPolicy, nowMs: number): ModelSession {
  const began = { plan, createdAt: nowMs, lastActivity: nowMs, direct: 0, rows: new Map<string, null>() };
  return { id, userId, orgId, issuer, ...began, revokedAt: null, idleEnded: false, announcedBudget: null };
}

function expectIssued(
  issued: Issued,
  model: SessionLifeModel,
  session: ModelSession,
  planId: number,
  repeated: boolean,
): void {
  expect(issued).toMatchObject({ outcome: "issued", session: model.viewOf(session), repeated });
  expectToken(issued, session.id, planId);
}

function expectToken(answer: object, sessionId: string, planId: number): void {
  expect("token" in answer ? verifyToken(String(answer.token), [KEYS]) : "no token").toEqual({ sessionId, planId });
}

const reissue = command("reissue token", anySession, async (one, model, life) => {
  const id = model.idAt(one);
  const answer = await reissueToken(life.process.ports, id, "tests");
  const session = model.stored.sessions.get(id);
  if (session === undefined) expect(answer).toEqual({ outcome: "unknown" });
  else if (model.stateOf(session) !== "live") expect(answer).toEqual({ outcome: "ended" });
  else {
    model.stored.audited.push("token-reissued");
    expect(answer).toMatchObject({ outcome: "reissued", session: model.viewOf(session) });
    expectToken(answer, id, session.plan.id);
  }
});

const consumption = fc.record({ one: anySession, count: fc.constantFrom(1, 7, 20, 40), key: anyKey });

const consume = command("consume", consumption, async ({ one, count, key }, model, life) => {
  await consumeAs(model.idAt(one), count, key, model, life);
});

/** With a key that was used, mostly as it was used. */
const consumeAgain = command("consume again", fc.tuple(fc.nat(20), fc.nat(4)), async ([index, other], model, life) => {
  const used = [...model.stored.consumptions];
  const [cursor, earlier] = used[index % Math.max(1, used.length)] ?? [];
  const [id, key] = cursor?.split(" ") ?? [];
  if (id === undefined || earlier === undefined) return;
  await consumeAs(id, other === 0 ? earlier.count + 1 : earlier.count, key, model, life);
});

async function consumeAs(
  id: string,
  count: number,
  key: string | undefined,
  model: SessionLifeModel,
  life: SessionLife,
): Promise<void> {
  const answer = await consumeTokens(life.process.ports, id, count, key ?? null);
  expect(answer).toMatchObject(consumedOf(model, id, count, key));
  const after = model.stored.sessions.get(id);
  if (answer?.outcome === "consumed" && after !== undefined) {
    expect(model.consumedOf(after)).toBeLessThanOrEqual(answer.budget);
  }
}

/** What consuming must answer, with what it does to the model. */
function consumedOf(model: SessionLifeModel, id: string, count: number, key: string | undefined): object {
  const session = model.stored.sessions.get(id);
  if (session === undefined) return { outcome: "unknown" };
  const earlier = key === undefined ? undefined : model.stored.consumptions.get(`${id} ${key}`);
  if (earlier !== undefined && earlier.atMs >= model.nowMs - DAY_MS) {
    const { budget, consumed } = earlier;
    return earlier.count === count ? { outcome: "repeated", budget, consumed } : { outcome: "keyReused" };
  }
  if (model.stateOf(session) !== "live") return { outcome: "ended" };
  const budget = model.planOf(session)?.tokenBudget ?? null;
  if (budget === null) return { outcome: "noBudget" };
  const before = model.consumedOf(session);
  if (before + count > budget) return { outcome: "overBudget", budget, consumed: before };
  session.direct += count;
  model.tellBudget(session);
  const taken = { budget, consumed: before + count };
  if (key !== undefined) model.stored.consumptions.set(`${id} ${key}`, { ...taken, count, atMs: model.nowMs });
  return { outcome: "consumed", ...taken };
}

const filter = fc.record({
  userId: perhaps(anyUser),
  orgId: perhaps(anyOrg),
  issuer: perhaps(anyIssuer),
  plan: perhaps(anyPlan),
  state: perhaps(fc.constantFrom("live" as const, "revoked" as const, "expired" as const)),
});

const asked = fc.tuple(filter, fc.integer({ min: 1, max: 4 }), anyViewer);

const list = command("list", asked, async ([wanted, limit, issuedBy], model, life) => {
  const found: unknown[] = [];
  let before: string | undefined;
  do {
    const page = await listSessions(life.process.ports, wanted, { before, limit }, issuedBy);
    if (wanted.plan !== undefined && model.policy.plans.every(({ name }) => name !== wanted.plan)) {
      expect(page).toBeUndefined();
      return;
    }
    if (page === undefined) throw new Error("no page");
    expect(page.sessions.length).toBeLessThanOrEqual(limit);
    found.push(...page.sessions);
    before = page.next ?? undefined;
  } while (before !== undefined);
  const seen = model.views().filter(({ id }) => model.seenBy(issuedBy, id) !== undefined);
  expect(found).toEqual(seen.filter((view) => passes(view, wanted)));
});

function passes(view: SessionView, { userId, orgId, issuer, plan, state }: SessionFilter): boolean {
  if (issuer !== undefined && view.issuer !== issuer) return false;
  if (userId !== undefined && view.userId !== userId) return false;
  if (orgId !== undefined && view.orgId !== orgId) return false;
  return (plan === undefined || view.plan === plan) && (state === undefined || view.state === state);
}

export const OF_CLIENTS = [
  ...[create, create, create, create, create, createAgain],
  ...[consume, consume, consume, consumeAgain],
  ...[reissue, list],
];
