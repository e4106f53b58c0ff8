// Commands of operators: sessions are revoked and get other plans, the policy changes, the store is backed up and restored.
import fc from "fast-check";
import { expect } from "vitest";

import type { RevocationFilter } from "../../src/domain/stored.js";
import { changePlan } from "../../src/app/sessions/change-plan.js";
import { revokeSession } from "../../src/app/sessions/revoke-session.js";
import type { PlanOfPolicy, PlansOfPolicy } from "../../src/domain/plan.js";
import type { Limit, Rate } from "../../src/domain/policy/policy.js";
import { anyOrg, anyPlan, anySession, anyUser, anyViewer } from "./session-life-model-clients.js";
import { command } from "./session-life-model-command.js";
import { LIMIT_NAMES, PLAN_NAMES } from "./session-life-model.js";
import type { SessionLifeModel } from "./session-life-model.js";
import type { ModelSession } from "./session-life-model-stored.js";
import { settled } from "../support/watching.js";

const MINUTE_MS = 60_000;

const revoke = command("revoke", fc.tuple(anySession, anyViewer), async ([one, issuedBy], model, life) => {
  const id = model.idAt(one);
  const answer = await revokeSession(life.process.ports, id, { actor: "tests", issuedBy });
  const session = model.seenBy(issuedBy, id);
  expect(answer).toBe(session === undefined ? "unknown" : "revoked");
  if (session === undefined || session.revokedAt !== null) return;
  model.revoke(session);
  model.stored.audited.push("session-revoked");
});

const whose = fc.oneof(
  anyUser.map((userId): RevocationFilter => ({ userId })),
  anyOrg.map((orgId): RevocationFilter => ({ orgId })),
);

/** interrupted: the process ends at once, and the next one goes on. */
const revokeAll = command("revoke all", fc.tuple(whose, fc.boolean()), async ([whom, interrupted], model, life) => {
  const { id } = await life.process.revocations.revoke(whom, "tests");
  model.stored.audited.push("sessions-revoked");
  if (interrupted) {
    await life.restart();
    model.restarted();
  }
  let operation = await life.process.revocations.find(id);
  while (operation !== undefined && operation.finishedAt === null) {
    await settled();
    operation = await life.process.revocations.find(id);
  }
  const meant = [...model.stored.sessions.values()].filter((one) => isOf(one, whom));
  const revoked = meant.filter((one) => one.revokedAt === null).sort((a, b) => (a.id < b.id ? -1 : 1));
  expect(operation).toMatchObject({ examined: meant.length, revoked: revoked.length });
  for (const one of revoked) model.revoke(one);
});

const isOf = (session: ModelSession, whom: RevocationFilter): boolean =>
  "userId" in whom ? session.userId === whom.userId : session.orgId === whom.orgId;

const givePlan = command("change plan", fc.tuple(anySession, anyPlan), async ([one, planName], model, life) => {
  const id = model.idAt(one);
  const answer = await changePlan(life.process.ports, id, planName, "tests");
  expect(answer).toMatchObject(changed(model, id, planName));
});

/** What a change of plan must answer, with what it does to the model. */
function changed(model: SessionLifeModel, id: string, planName: string): object {
  const plan = model.policy.plans.find(({ name }) => name === planName);
  if (plan === undefined) return { outcome: "unknownPlan" };
  const session = model.stored.sessions.get(id);
  if (session === undefined) return { outcome: "unknown" };
  if (model.stateOf(session) !== "live") return { outcome: "ended" };
  if (session.plan.id !== plan.id) {
    const count = model.liveOf(session, plan.id).length + 1;
    if (count > (plan.maxSessionsPerUser ?? Infinity)) return { outcome: "tooManySessions" };
    session.plan = plan;
    model.invalidate("refresh", id);
    model.stored.audited.push("plan-changed");
  }
  return { outcome: "changed", session: model.viewOf(session) };
}

const planNumber = (index: number): number => [0, 3, 7][index] ?? 0;

const rate = fc.constantFrom<Rate>(
  ...[0, 1, 10].map((tokenRefillRate) => ({ tokenRefillRate, refill: null })),
  ...["600/1m", "10000/1d"].map((refill) => ({ tokenRefillRate: null, refill })),
);
const maxTokens = fc.constantFrom(20, 50);
const furtherLimit = fc.tuple(fc.constantFrom(...LIMIT_NAMES), maxTokens, rate).map(([name, most, of]): Limit => {
  return { name, maxTokens: most, ...of, applies: "always" };
});
const furtherLimits = fc
  .uniqueArray(furtherLimit, { selector: ({ name }) => name, maxLength: LIMIT_NAMES.length })
  .map((all) => all.sort((one, other) => (one.name < other.name ? -1 : 1)));

const otherLimits = fc.record({
  maxTokens,
  limits: furtherLimits,
  maxAge: fc.constantFrom(MINUTE_MS, 10 * MINUTE_MS),
  lifetime: fc.constantFrom(20 * MINUTE_MS, 60 * MINUTE_MS, 2 * 24 * 60 * MINUTE_MS),
  tokenBudget: fc.constantFrom(null, 40, 100),
  maxSessionsPerUser: fc.constantFrom(null, 1, 2, 3),
  onMaxSessions: fc.constantFrom("refuse" as const, "removeOldest" as const),
});
const limits = fc.tuple(otherLimits, rate).map(([others, of]) => ({ ...others, ...of }));
/** Each plan keeps its id and name; some are absent. */
const someLimits = fc.tuple(limits, fc.option(limits, { freq: 6 }), fc.option(limits, { freq: 6 }));
const asPolicy = (all: readonly (Omit<PlanOfPolicy, "id" | "name" | "scope"> | null)[]): PlansOfPolicy => ({
  plans: all.flatMap((one, index) =>
    one === null ? [] : [{ id: planNumber(index), name: PLAN_NAMES[index] ?? "", scope: "edge", ...one }],
  ),
  controlPlane: { reportInterval: 5000 },
  sessions: { cleanupInterval: MINUTE_MS },
});

const FIRST_LIMITS = {
  maxTokens: 50,
  tokenRefillRate: 10,
  refill: null,
  limits: [],
  maxAge: MINUTE_MS,
  lifetime: 60 * MINUTE_MS,
  tokenBudget: null,
  maxSessionsPerUser: null,
  onMaxSessions: "refuse",
} as const;
export const FIRST_POLICY = asPolicy([
  FIRST_LIMITS,
  { ...FIRST_LIMITS, tokenBudget: 100, maxSessionsPerUser: 2 },
  { ...FIRST_LIMITS, tokenBudget: 40, maxSessionsPerUser: 1, onMaxSessions: "removeOldest" },
]);

const changePolicy = command("change the policy", someLimits, (all, model) => {
  model.policy = asPolicy(all);
  return Promise.resolve();
});

const backUp = command("back up", fc.constant(null), async (_, model, life) => {
  model.backup = { file: await life.backUp(), stored: structuredClone(model.stored) };
});

/** The log begins anew under another name, with the number that it had. */
const restore = command("restore", fc.constant(null), async (_, model, life) => {
  if (model.backup === undefined) return;
  await life.restore(model.backup.file);
  model.stored = structuredClone(model.backup.stored);
  model.restarted();
  const { log } = await life.process.store.position();
  expect(log).not.toBe(model.log);
  model.log = log;
});

export const OF_OPERATORS = [revoke, revokeAll, givePlan, givePlan, changePolicy, backUp, restore];
