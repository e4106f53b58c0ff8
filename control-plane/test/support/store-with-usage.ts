// What contracts of usage begin with: a store with one session in it, instances of edges, and what they report.
import type { ReportedRow } from "../../src/domain/decisions/reported-rows.js";
import type { Stores } from "../../src/app/ports/stores.js";
import type { PlanOfPolicy } from "../../src/domain/plan.js";
import type { Session } from "../../src/domain/session.js";
import { sessionAt, STARTER } from "./sessions.js";
import type { WithVerbs } from "./store-verbs.js";

export type StoreWithUsage = WithVerbs<Stores>;

export const NOW_MS = Date.UTC(2026, 0, 1);
export const A = { edge: "gw-1", instance: "aaaaaaaaaaaaaaaa" };
export const B = { edge: "gw-1", instance: "bbbbbbbbbbbbbbbb" };
export const FAR = { edge: "gw-2", instance: "aaaaaaaaaaaaaaaa" };
export const NO_BUDGETS = new Map<number, number>();
export const ALWAYS = () => true;

export const row = (sessionId: string, rev: number, consumed: number, more: Partial<ReportedRow> = {}): ReportedRow => {
  return { ...A, sessionId, rev, consumed, levelMicro: 1, atMs: NOW_MS + rev, reportedAtMs: NOW_MS + rev, ...more };
};

/** Opens an empty store and puts one session in it. */
export type Opened = (plan?: PlanOfPolicy) => Promise<[StoreWithUsage, Session]>;

/** `open` gives an empty store and sees to its end. */
export const withSession =
  (open: () => Promise<StoreWithUsage>): Opened =>
  async (plan = STARTER) => {
    const store = await open();
    const session = sessionAt(NOW_MS, plan);
    await store.create(session);
    return [store, session];
  };
