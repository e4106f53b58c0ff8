// Two decisions on a session that are written together come to the same as one after the other.
import { expect, it } from "vitest";

import type { Changes } from "../../src/domain/changes.js";
import type { FleetBudget } from "../../src/domain/leases/fleet-budget.js";
import { bothChanges, isOfOne, recordAfter } from "../../src/domain/successive-changes.js";
import { recordOf } from "../../src/store/memory/records.js";
import { memoryEngine } from "../support/processes-over-one-store.js";
import { budgetWith, SPENT } from "../support/fleet-budgets.js";
import { sessionAt } from "../support/sessions.js";
import { A, B, FAR, NOW_MS } from "../support/store-with-usage.js";

const session = sessionAt(NOW_MS);
const of = { sessionId: session.id };
const rowOf = (at: typeof A, acquiredAtMs: number) => ({ ...of, ...at, acquiredAtMs, figures: null });
const created: Changes = { sessions: [{ before: null, after: session }], rows: [rowOf(A, 1), rowOf(B, 1)] };
const budget = (one: FleetBudget | null): Changes => ({ budgets: [{ ...of, budget: one }] });
const active = { ...session, lastActivity: NOW_MS + 1 };
const revoked = { ...active, revokedAt: NOW_MS + 2 };

it("a session that changes twice is written once, from what is stored to what it is last", () => {
  const first = { sessions: [{ before: session, after: active }] };
  const both = bothChanges(first, { sessions: [{ before: active, after: revoked }] });
  expect(both.sessions).toEqual([{ before: session, after: revoked }]);
});

it.each<[string, Changes, Changes]>([
  ["a row that goes and comes back is there", { removedRows: [{ ...of, ...A }] }, { rows: [rowOf(A, 9)] }],
  ["a row that comes and goes is not there", { rows: [rowOf(FAR, 9)] }, { removedRows: [{ ...of, ...FAR }] }],
  ["of a row that is written twice the later one stands", { rows: [rowOf(A, 8)] }, { rows: [rowOf(A, 9)] }],
  ["of a budget that is written twice the later one stands", budget(SPENT), budget(budgetWith(1))],
  ["a budget that is taken away is not there", budget(SPENT), budget(null)],
  ["a budget that comes back is there", budget(null), budget(SPENT)],
  ["a budget stays where another decision writes none", budget(SPENT), { rows: [rowOf(FAR, 9)] }],
  [
    "a session that changes twice is as after the second change",
    { sessions: [{ before: session, after: active }] },
    { sessions: [{ before: active, after: revoked }] },
  ],
])("%s", (_what, first, second) => {
  const [apart, atOnce] = [memoryEngine().engine, memoryEngine().engine];
  for (const engine of [apart, atOnce]) engine.commit(created, new Map());
  const stored = () =>
    recordOf(apart.sessions.get(session.id) ?? { session, rows: new Map(), consumptionKeys: new Map() });
  const begun = stored();
  for (const changes of [first, second]) apart.commit(changes, new Map());
  atOnce.commit(bothChanges(first, second), new Map());
  expect(atOnce.sessions).toEqual(apart.sessions);
  expect(recordAfter(recordAfter(begun, first), second)).toEqual(stored());
  expect(recordAfter(begun, bothChanges(first, second))).toEqual(stored());
});

it("a decision that writes another session's budget is not one of this session alone", () => {
  expect(isOfOne(session.id, budget(SPENT))).toBe(true);
  const other = sessionAt(NOW_MS + 1).id;
  expect(isOfOne(session.id, { budgets: [{ sessionId: other, budget: SPENT }] })).toBe(false);
});
