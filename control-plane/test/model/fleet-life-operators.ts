// Commands of operators and of time in a fleet's life: plans change, sessions end, the store and the processes over it too.
import fc from "fast-check";
import { expect } from "vitest";

import { changePlan } from "../../src/app/sessions/change-plan.js";
import { consumeTokens } from "../../src/app/sessions/consume-tokens.js";
import { issueSession } from "../../src/app/sessions/issue-session.js";
import { revokeSession } from "../../src/app/sessions/revoke-session.js";
import type { PlanOfPolicy } from "../../src/domain/plan.js";
import type { Limit, Rate } from "../../src/domain/policy/policy.js";
import { STARTER } from "../support/sessions.js";
import { command } from "./fleet-life-command.js";
import { anyPlane, anySession } from "./fleet-life-edges.js";
import type { FleetLife } from "./fleet-life.js";
import { FleetSession } from "./fleet-life-model.js";
import type { FleetModel } from "./fleet-life-model.js";

const DAY_MS = 86_400_000;
const MAX_SESSIONS = 3;
const PLAN_NAMES = ["gold", "metered", "each"] as const;

/** Short; about a lease's end and its end with the grace; past an eviction. */
const pass = command("pass", fc.constantFrom(1, 40, 300, 300, 700, 1000, 1999, 2001, 3001, 5100), async (ms, _, life) =>
  life.pass(ms),
);

const cutOff = command("cut off", fc.tuple(anyPlane, fc.boolean()), ([nth, isCutOff], _, life) => {
  life.cutOff(nth, isCutOff);
  return Promise.resolve();
});

const restart = command("restart", fc.constant(null), async (_, __, life) => life.restart());

export async function issue(model: FleetModel, life: FleetLife): Promise<void> {
  const said = { userId: "u1", orgId: "o1", issuer: "tests", plan: "gold", metadata: {} };
  const issued = await issueSession(life.portsOf(0), said);
  if (issued.outcome !== "issued") throw new Error(issued.outcome);
  const session = new FleetSession(issued.session.id, "gold");
  for (const [name, edge] of session.edges) edge.begunAs(model.sessions[0]?.edge(name).instance ?? edge.instance);
  model.sessions.push(session);
  // Ids sort by creation, to the ms.
  await life.pass(1);
}

const create = command("create", fc.constant(null), async (_, model, life) => {
  if (model.sessions.length < MAX_SESSIONS) await issue(model, life);
});

const revoke = command("revoke", fc.tuple(anySession, anyPlane), async ([nth, plane], model, life) => {
  const session = model.session(nth);
  const answer = await revokeSession(life.portsOf(plane), session.id, { actor: "tests", issuedBy: null });
  expect(answer).toBe(model.gone.has(session) ? "unknown" : "revoked");
  if (answer === "revoked") session.kept.isRevoked = true;
});

const consumption = fc.tuple(anySession, anyPlane, fc.constantFrom(1, 30, 80));

/** It is of another bucket: what may be leased stays as it is, as is checked after each command. */
const consume = command("consume", consumption, async ([nth, plane, count], model, life) => {
  const session = model.session(nth);
  const answer = await consumeTokens(life.portsOf(plane), session.id, count, null);
  const budget = model.planOf(session)?.tokenBudget ?? null;
  const isOver = session.kept.isRevoked;
  const isTooMuch = budget !== null && session.kept.consumed + count > budget;
  const expected = isOver ? "ended" : budget === null ? "noBudget" : isTooMuch ? "overBudget" : "consumed";
  expect(answer?.outcome).toBe(model.gone.has(session) ? "unknown" : expected);
  if (answer?.outcome === "consumed") session.kept.consumed += count;
});

const givePlan = command(
  "change plan",
  fc.tuple(anySession, anyPlane, fc.constantFrom(...PLAN_NAMES)),
  async ([nth, plane, name], model, life) => {
    const session = model.session(nth);
    const before = model.planOf(session);
    if (before !== undefined) session.bound.fill(before, life.fleetMs());
    const { outcome } = await changePlan(life.portsOf(plane), session.id, name, "tests");
    const isOver = session.kept.isRevoked;
    expect(outcome).toBe(model.gone.has(session) ? "unknown" : isOver ? "ended" : "changed");
    if (outcome === "changed") session.kept.planName = name;
  },
);

const rate = fc.constantFrom<Rate>(
  ...[0.5, 10, 40].map((tokenRefillRate) => ({ tokenRefillRate, refill: null })),
  ...["600/1m", "100/1d"].map((refill) => ({ tokenRefillRate: null, refill })),
);
const maxTokens = fc.constantFrom(20, 50, 100);
const limit = fc.tuple(fc.constantFrom("constructor", "daily"), maxTokens, rate);
const limits = fc
  .uniqueArray(limit, { selector: ([name]) => name, maxLength: 2 })
  .map((all): readonly Limit[] =>
    all
      .map(([name, most, of]): Limit => ({ name, maxTokens: most, ...of, applies: "always" }))
      .sort((one, other) => (one.name < other.name ? -1 : 1)),
  );
const bucket = fc.tuple(maxTokens, rate, limits);
const LASTING = { ...STARTER, maxAge: 90 * DAY_MS, lifetime: 90 * DAY_MS };

/** Two of fleet scope and one of edge scope; with a chance the first is of edge scope too, for a while. */
export const anyPlans = fc
  .tuple(bucket, bucket, bucket, fc.constantFrom("fleet" as const, "fleet" as const, "edge" as const))
  .map(([gold, metered, each, scope]): readonly PlanOfPolicy[] => {
    const of = ([most, filled, further]: typeof gold) => ({
      ...LASTING,
      maxTokens: most,
      ...filled,
      limits: [...further],
    });
    return [
      { ...of(gold), id: 0, name: "gold", scope },
      { ...of(metered), id: 1, name: "metered", scope: "fleet", tokenBudget: 100 },
      { ...of(each), id: 2, name: "each", scope: "edge" },
    ];
  });

const changePolicy = command("change the policy", anyPlans, (plans, model, life) => {
  for (const session of model.sessions) {
    const before = model.planOf(session);
    if (before !== undefined) session.bound.fill(before, life.fleetMs());
  }
  model.plans = plans;
  life.setPlans(plans);
  return Promise.resolve();
});

export const OF_OPERATORS_AND_TIME = [
  ...[pass, pass, pass, pass, pass, pass],
  ...[cutOff, restart, create, consume, givePlan, changePolicy],
];
/** What ends a session for good is rare. */
export const RARE = [revoke];
