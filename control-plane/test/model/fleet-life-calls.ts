// Calls of Envoys in a fleet's life: each comes to one of the control planes, and its answer now, late, twice or never.
import { expect } from "vitest";

import type { FleetAnswer, FleetLife } from "./fleet-life.js";
import type { Call, FleetModel } from "./fleet-life-model.js";

/** Calls that are kept, to come once more. */
export const MAX_CALLS = 12;

export interface Way {
  readonly plane: number;
  /** When the answer comes; unsent: the call itself comes with a later command. */
  readonly delivery: "now" | "late" | "never" | "unsent";
}

/** Calls of one instance: acquires go alone, asks in one call. */
export async function send(
  all: Call["asks"],
  { edge, ...way }: Way & { readonly edge: string },
  model: FleetModel,
  life: FleetLife,
): Promise<void> {
  for (const asks of [...all.filter(isAcquire).map((one) => [one]), all.filter((one) => !isAcquire(one))]) {
    const [first] = asks;
    if (first === undefined) continue;
    const call = { edge, instance: first.sent.ask.instance, asks };
    model.calls.push(call);
    model.calls.splice(0, model.calls.length - MAX_CALLS);
    if (way.delivery !== "unsent") await deliver(call, way, model, life);
  }
}

const isAcquire = ({ sent }: Call["asks"][number]): boolean => sent.ask.ask === 0;

/** The call comes, perhaps for the second time. */
export async function deliver(
  call: Call,
  { plane, delivery: how }: Way,
  model: FleetModel,
  life: FleetLife,
): Promise<void> {
  const asker = { edge: call.edge, instance: call.instance.padStart(16, "0") };
  const [first] = call.asks;
  if (first === undefined) return;
  const answers: FleetAnswer[] = [];
  if (isAcquire(first)) {
    const [state, lease] = await life.acquire(plane, asker, first.session.id, first.sent);
    const { isRevoked } = first.session.kept;
    const isGone = model.gone.has(first.session);
    expect(state).toBe(isGone ? "unknown" : isRevoked ? "revoked" : "live");
    answers.push(lease);
  } else {
    const asks = call.asks.map(({ session: { id }, sent }) => ({ id, ask: sent.ask }));
    answers.push(...(await life.lease(plane, asker, asks)));
  }
  expect(answers).toHaveLength(call.asks.length);
  call.asks.forEach(({ session, sent }, i) => {
    const answer = answers[i] ?? "none";
    const plan = model.leasedBy(session);
    expect(answer === "none", "whether there is a lease").toBe(plan === undefined);
    if (answer === "none" || plan === undefined) return;
    const { log, beganMs } = life;
    session.bound.fill(plan, life.fleetMs());
    session.expectAnswer(sent, answer, { log, beganMs, fleetMs: life.fleetMsOfLife(), plan });
    const take = (): void => {
      session.edge(call.edge).take(life.clock.monotonicMs(), sent, answer);
    };
    if (how === "now") take();
    if (how === "late") model.late.push(take);
  });
}
