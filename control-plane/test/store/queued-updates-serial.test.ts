// However the updates of two processes meet, each is answered as if they had been made one after the other.
import fc from "fast-check";
import { expect, it } from "vitest";

import { decideAcquire } from "../../src/domain/decisions/acquire-session.js";
import { decidePlanChange } from "../../src/domain/decisions/change-plan.js";
import { decideConsumption } from "../../src/domain/decisions/consume-tokens.js";
import { decideCreation } from "../../src/domain/decisions/create-session.js";
import { decideIdleEnds } from "../../src/domain/decisions/end-idle.js";
import { decideForgetting } from "../../src/domain/decisions/forget-sessions.js";
import { decideHold } from "../../src/domain/decisions/hold-session.js";
import type { Held, HoldChoice } from "../../src/domain/decisions/hold-session.js";
import { decideReissue } from "../../src/domain/decisions/reissue-token.js";
import { decideReport } from "../../src/domain/decisions/report-usage.js";
import { decideBulkRevocation, decideChunk, decideRevocation } from "../../src/domain/decisions/revoke-sessions.js";
import { peersIn } from "../../src/domain/issued-by.js";
import { hasEndedForGood } from "../../src/domain/session.js";
import type { Session } from "../../src/domain/session.js";
import type { SessionRecord } from "../../src/domain/stored.js";
import { budgetWith, microIn } from "../support/fleet-budgets.js";
import { METERED, sessionAt, STARTER } from "../support/sessions.js";
import { A, B, FAR, NOW_MS, row } from "../support/store-with-usage.js";
import {
  asked,
  contentsOf,
  inOrder,
  memoryEngine,
  ProcessesOverOneStore,
} from "../support/processes-over-one-store.js";
import type { Asked, EngineOfTests } from "../support/processes-over-one-store.js";

const RUNS = Number(process.env["SLUICE_QUEUE_RUNS"] ?? 150);
const BUDGETS = new Map([[METERED.id, 60]]);
/** No session comes into a page that others are in: pages promise nothing of those. */
const [OTHER, LATER_MS] = [{ ...STARTER, id: 9, name: "other" }, NOW_MS + 100];
const [ACTOR, PAGE] = ["operator:ops", 2];
const SESSIONS = [sessionAt(NOW_MS, METERED), sessionAt(NOW_MS + 1, METERED), sessionAt(NOW_MS + 2, STARTER, "u2")];
const INSTANCES = [A, B, FAR];
const BEGUN = "0192f0c1-0000-7000-8000-000000000000";

const isLive = (one: Session): boolean => !hasEndedForGood(one);
const one = fc.constantFrom(...SESSIONS.map(({ id }) => id));
const instance = fc.constantFrom(...INSTANCES);
const small = fc.integer({ min: 1, max: 30 });
const key = fc.constantFrom(null, "k1", "k2");
const hold = (session: Session): HoldChoice => (isLive(session) ? "hold" : "over");

const acquires = fc.tuple(one, instance, small, fc.boolean()).map(([id, asker, n, says]) => {
  const rows = says ? [row(id, n, n, asker)] : [];
  return asked("session", id, (state) =>
    decideAcquire(state, { asker, atMs: NOW_MS + n, rows, budgets: BUDGETS }, hold),
  );
});
const idleEnds = fc.tuple(one, small).map(([id, n]) => {
  const choose = ({ lastActivity }: Session): HoldChoice => (lastActivity < NOW_MS + n ? "end" : "over");
  return asked("session", id, (state) => decideHold(state, A, NOW_MS + n, choose));
});
const revocations = fc.tuple(one, small).map(([id, n]) => {
  const audited = { at: NOW_MS, actor: ACTOR, action: "session-revoked", sessionId: id, details: {} } as const;
  return asked("session", id, ({ found }) => decideRevocation(found?.session, NOW_MS + n, audited));
});
const reissues = one.map((id) => {
  const request = { atMs: NOW_MS, actor: ACTOR, planNameOf: () => "plan", isLive };
  return asked("session", id, ({ found }) => decideReissue(found, request));
});
const consumptions = fc.tuple(one, small, key).map(([sessionId, count, by]) => {
  const consumption = { count, key: by, keptSinceMs: 0, atMs: NOW_MS, budgets: BUDGETS, isLive };
  return asked("consumption", { sessionId, key: by }, (state) => decideConsumption(state, consumption));
});
const planChanges = fc.tuple(one, fc.constantFrom(STARTER, OTHER)).map(([sessionId, plan]) => {
  const change = { plan: { ...plan, maxSessionsPerUser: 2 }, atMs: NOW_MS, actor: ACTOR, isLive };
  return asked("planChange", { sessionId, planId: plan.id }, (state) => decidePlanChange(state, change));
});
const reports = fc.array(fc.tuple(one, instance, small), { minLength: 1, maxLength: 4 }).map((said) => {
  const rows = said.map(([id, of, n]) => row(id, n, n, of));
  return asked("report", rows, (found) => decideReport(found, rows, BUDGETS));
});
const budgetOf = (sessionId: string, found: SessionRecord | undefined, n: number) =>
  found === undefined ? [] : [{ sessionId, budget: n === 1 ? null : budgetWith(microIn(found.budget) + n) }];
const leases = fc.tuple(fc.array(one, { minLength: 1, maxLength: 3 }), small).map(([ids, n]) =>
  asked("leases", ids, ({ found }) => ({
    answer: [...found.values()].map(({ budget }) => microIn(budget)),
    changes: { budgets: [...found].flatMap(([id, record]) => budgetOf(id, record, n)) },
  })),
);
const leasesOfAcquires = fc.tuple(one, small).map(([id, n]) =>
  asked("session", id, ({ found }) => ({
    answer: microIn(found?.budget),
    changes: { budgets: budgetOf(id, found, n) },
  })),
);
const creations = fc
  .tuple(fc.constantFrom("refuse" as const, "removeOldest" as const), key, small)
  .map(([onMaxSessions, by, n]) => {
    const session = sessionAt(LATER_MS + n, METERED);
    const repeatable = by === null ? null : { key: by, requestHash: onMaxSessions, keptSinceMs: 0 };
    const creation = { session, limit: { maxSessions: 3, onMaxSessions }, repeatable, isLive };
    const wanted = { sessionId: session.id, key: by, peers: peersIn(METERED.id, session) };
    return asked("creation", wanted, (state) => decideCreation(state, creation));
  });
const chunks = small.map((n) =>
  asked("revocationChunk", { id: BEGUN, limit: PAGE }, (state) => decideChunk(state, NOW_MS + n)),
);
const sweeps = small.map((n) => {
  const wanted = { planId: METERED.id, untilMs: NOW_MS + n, after: undefined, limit: PAGE };
  const isIdle = ({ lastActivity }: Session): boolean => lastActivity < NOW_MS + n;
  return asked("byActivity", wanted, ({ page }) => decideIdleEnds(page, NOW_MS + n, isIdle));
});
const forgettings = small.map((n) =>
  asked("withDetails", { createdBeforeMs: NOW_MS + n, limit: PAGE }, (page) => decideForgetting(page)),
);

const oftenOfOne = [acquires, acquires, leasesOfAcquires, revocations, reissues, idleEnds, consumptions].map(
  (arbitrary) => ({
    arbitrary,
    weight: 4,
  }),
);
const ofMany = [planChanges, reports, leases, creations, chunks, sweeps, forgettings].map((arbitrary) => ({
  arbitrary,
  weight: 2,
}));

async function prepare({ engine }: EngineOfTests): Promise<void> {
  const updates = inOrder(engine);
  for (const session of SESSIONS) {
    const wanted = { sessionId: session.id, key: null, peers: null };
    const creation = { session, limit: null, repeatable: null, isLive };
    await updates.update("creation", wanted, (state) => decideCreation(state, creation));
  }
  const filter = { userId: "u1" };
  const request = { id: BEGUN, filter, atMs: NOW_MS, audited: undefined };
  await updates.update("newestSession", filter, (newest) => decideBulkRevocation(newest, request));
}

/** Of an acquire its place in the log is left out: others may append while it is committed. It is only ever too low. */
function withoutCursor(answer: unknown): { readonly rest: unknown; readonly cursor: number } {
  const { position, ...rest } = answer as Partial<Held>;
  return position === undefined ? { rest: answer, cursor: 0 } : { rest, cursor: position.cursor };
}

interface Outcome {
  readonly answer?: unknown;
  readonly failure?: string;
}

async function together(all: readonly Asked[], picks: fc.Stream<number>) {
  const store = new ProcessesOverOneStore();
  await prepare(store.held);
  const processes = [store.process(), store.process()];
  const outcomes = new Map<Asked, Outcome>();
  all.forEach((update, index) => {
    const updates = processes[index % 2] ?? store.process();
    store.ask(updates, update).then(
      (answer) => outcomes.set(update, { answer }),
      (error: unknown) => outcomes.set(update, { failure: error instanceof Error ? error.name : String(error) }),
    );
  });
  await store.run((count) => (picks.next().value ?? 0) % count);
  return { store, outcomes };
}

it("updates of two processes are answered as if they had been made one after the other", async () => {
  const updates = fc.array(fc.oneof(...oftenOfOne, ...ofMany), { minLength: 2, maxLength: 24, size: "max" });
  const met = { conflicts: 0, savedCommits: 0 };
  const property = fc.asyncProperty(updates, fc.infiniteStream(fc.nat(1000)), async (all, picks) => {
    const { store, outcomes } = await together(all, picks);
    expect(outcomes.size).toBe(all.length);
    const again = memoryEngine();
    await prepare(again);
    for (const { one: update, wanted } of store.committed) {
      const made = inOrder(again.engine).update(update.kind, wanted as typeof update.wanted, update.decide);
      const expected = withoutCursor((await made).answer);
      const { rest, cursor } = withoutCursor(outcomes.get(update)?.answer);
      expect(rest).toEqual(expected.rest);
      expect(cursor).toBeLessThanOrEqual(expected.cursor);
    }
    expect(contentsOf(store.held)).toEqual(contentsOf(again));
    const answered = [...outcomes.values()].filter(({ failure }) => failure === undefined);
    expect(answered).toHaveLength(store.committed.length);
    expect([...outcomes.values()].filter(({ failure = "UpdateConflict" }) => failure !== "UpdateConflict")).toEqual([]);
    met.conflicts += store.meter.conflicts.length;
    met.savedCommits += store.committed.length - (store.commits - store.meter.conflicts.length);
  });
  await fc.assert(property, { numRuns: RUNS });
  // Otherwise nothing has met, and nothing is shown.
  expect(met.conflicts).toBeGreaterThan(RUNS / 4);
  expect(met.savedCommits).toBeGreaterThan(RUNS / 4);
});
