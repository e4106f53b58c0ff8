// Commands of Envoys: requests spend, asks are sent, come late, twice and out of order, and so do their answers.
import fc from "fast-check";
import { expect } from "vitest";

import type { Amounts } from "../../src/domain/leases/fleet-budget.js";
import type { SentAsk } from "../domain/leases/lease-edge.js";
import { command } from "./fleet-life-command.js";
import { deliver, MAX_CALLS, send } from "./fleet-life-calls.js";
import type { Way } from "./fleet-life-calls.js";
import type { FleetLife } from "./fleet-life.js";
import { EDGES } from "./fleet-life-model.js";
import type { FleetModel, FleetSession } from "./fleet-life-model.js";

const MICRO = 1_000_000;
/** Below what the smallest bucket holds: more is never owed. */
const MOST_CHARGED = 15 * MICRO;

export const anyPlane = fc.nat(1);
export const anySession = fc.nat(5);
const anyEdge = fc.constantFrom(...EDGES);
const anyTokens = fc.constantFrom(1, 1, 1, 3, 8);

/** In each of the plan's buckets. */
const inEach = (model: FleetModel, session: FleetSession, micro: number): Amounts => {
  const limits = model.planOf(session)?.limits ?? [];
  return Object.fromEntries(["", ...limits.map(({ name }) => name)].map((name) => [name, micro]));
};

const wish = fc.record({ cost: anyTokens, want: fc.constantFrom(0, 2, 10, 60) });
type Wish = typeof wish extends fc.Arbitrary<infer Said> ? Said : never;

function askOf(model: FleetModel, session: FleetSession, edge: string, { cost, want }: Wish, nowMs: number): SentAsk {
  const each = (tokens: number): Amounts => inEach(model, session, tokens * MICRO);
  return session.edge(edge).ask(nowMs, { cost: each(cost), want: each(cost + want) });
}

function spend(model: FleetModel, session: FleetSession, edge: string, tokens: number, life: FleetLife): boolean {
  const cost = inEach(model, session, tokens * MICRO);
  const nowMs = life.clock.monotonicMs();
  if (model.planOf(session)?.scope !== "fleet" || !session.edge(edge).spend(nowMs, cost)) return false;
  session.bound.take(cost);
  return true;
}

/** now, late or never: when its answer comes. unsent: the call itself comes with a later command. */
const delivery = fc.constantFrom<Way["delivery"][]>("now", "now", "now", "now", "late", "never", "unsent");
const use = fc.record({
  ...{ edge: anyEdge, sessions: fc.uniqueArray(anySession, { minLength: 1, maxLength: 2 }), plane: anyPlane, wish },
  ...{ requests: fc.nat(12), delivery },
});

type Use = typeof use extends fc.Arbitrary<infer Said> ? Said : never;

/** Requests until none is covered any more, and an ask for more. */
async function useThere(said: Use, model: FleetModel, life: FleetLife): Promise<void> {
  const { edge, requests, wish: of } = said;
  const used = [...new Set(said.sessions.map((nth) => model.session(nth)))];
  for (const session of used) {
    for (let request = 0; request < requests; request++) if (!spend(model, session, edge, of.cost, life)) break;
  }
  const nowMs = life.clock.monotonicMs();
  const asks = used.map((session) => ({ session, sent: askOf(model, session, edge, of, nowMs) }));
  await send(asks, said, model, life);
}

const useAndAsk = command("use", use, useThere);

/** Once for what was saved: what is saved next is of the life that comes. */
async function failOver(model: FleetModel, life: FleetLife): Promise<void> {
  if (!model.isSaved) return;
  model.isSaved = false;
  const before = life.log;
  life.fleetMs();
  await life.failOver();
  expect(life.log).not.toBe(before);
  for (const session of model.sessions) {
    if (!model.gone.has(session) && !session.failOver(model.planOf(session), life.fleetMs())) model.gone.add(session);
  }
}

async function save(model: FleetModel, life: FleetLife): Promise<void> {
  await life.engine.save();
  for (const session of model.sessions) if (!model.gone.has(session)) session.save();
  model.isSaved = true;
}

/** What was leased since is lost, and whoever has it asks on, without a request. */
const lostLeases = fc.record({
  uses: fc.array(use, { minLength: 1, maxLength: 3 }),
  ...{ asksMore: fc.nat(5), afterMs: fc.constantFrom(200, 900) },
});
const loseLeases = command("fail over, losing", lostLeases, async ({ uses, asksMore, afterMs }, model, life) => {
  await save(model, life);
  for (const one of uses) await useThere(one, model, life);
  await failOver(model, life);
  for (let asks = 0; asks < asksMore; asks++) {
    for (const one of uses) await useThere({ ...one, requests: 0 }, model, life);
    await life.pass(afterMs);
  }
});
const saveAll = command("save", fc.constant(null), (_, model, life) => save(model, life));
const loseSaved = command("fail over", fc.constant(null), (_, model, life) => failOver(model, life));

const giveBack = command(
  "give back",
  fc.record({ edge: anyEdge, session: anySession, plane: anyPlane, delivery }),
  async ({ edge, session: nth, plane, delivery: how }, model, life) => {
    const session = model.session(nth);
    const sent = session.edge(edge).giveBack(life.clock.monotonicMs());
    if (sent !== undefined) await send([{ session, sent }], { edge, plane, delivery: how }, model, life);
  },
);

const again = command(
  "come again",
  fc.tuple(fc.nat(MAX_CALLS), anyPlane, delivery),
  async ([nth, plane, how], model, life) => {
    const call = model.calls[nth % Math.max(1, model.calls.length)];
    if (call !== undefined) await deliver(call, { plane, delivery: how }, model, life);
  },
);

const lateAnswer = command("late answer", fc.tuple(fc.nat(9), fc.boolean()), ([nth, isDoubled], model) => {
  const at = nth % Math.max(1, model.late.length);
  model.late[at]?.();
  if (!isDoubled) model.late.splice(at, 1);
  return Promise.resolve();
});

const settle = fc.record({ edge: anyEdge, session: anySession, tokens: fc.integer({ min: -3, max: 6 }) });

/** A request turns out to have cost less than was reserved, or more. */
const settled = command("settle", settle, ({ edge, session: nth, tokens }, model, life) => {
  const session = model.session(nth);
  const amount = Math.abs(tokens) * MICRO;
  if (tokens > 0) session.edge(edge).refund("", amount);
  else if (session.charged + amount <= MOST_CHARGED) {
    if (session.edge(edge).annex === undefined) return Promise.resolve();
    const nowMs = life.clock.monotonicMs();
    const covered = Math.min(amount, Math.max(0, session.edge(edge).left(nowMs, "")));
    session.charged += amount;
    session.edge(edge).charge(nowMs, "", amount, MOST_CHARGED);
    session.bound.take({ "": covered });
  }
  return Promise.resolve();
});

const lose = command(
  "lose",
  fc.tuple(anyEdge, fc.constantFrom("die", "evict", "replace")),
  ([edge, how], model, life) => {
    for (const session of model.sessions) {
      if (how === "die") session.edge(edge).die();
      else if (how === "evict") session.edge(edge).evict(life.clock.monotonicMs());
      else session.edge(edge).replace();
    }
    return Promise.resolve();
  },
);

/** With failovers, which are in the middle of them. */
export const OF_ENVOYS = [
  ...[useAndAsk, useAndAsk, useAndAsk, useAndAsk, useAndAsk, useAndAsk, useAndAsk, useAndAsk],
  ...[loseLeases, saveAll, loseSaved],
  ...[giveBack, again, again, lateAnswer, lateAnswer, settled, settled, lose],
];
