// A store with something of everything that a store keeps, and all that can be seen of it.
import type { Stores } from "../../src/app/ports/stores.js";
import type { ActivityCursor } from "../../src/app/ports/update-ports.js";
import { unchanged } from "../../src/domain/changes.js";
import type { Session } from "../../src/domain/session.js";
import type { AuditEvent } from "../../src/domain/stored.js";
import { decision } from "../contracts/policy-contract.js";
import { budgetWith, SPENT, raisedTo } from "./fleet-budgets.js";
import { HOUR_MS, METERED, sessionAt, STARTER } from "./sessions.js";
import type { WithVerbs } from "./store-verbs.js";

type Store = WithVerbs<Stores>;

export const FILLED_AT_MS = Date.UTC(2026, 0, 1);
const NOW_MS = FILLED_AT_MS;
const EDGE = { edge: "edge-1", instance: "a".repeat(16) };
const OTHER = { edge: "edge-2", instance: "b".repeat(16) };
const ALWAYS = () => true;
const LIMITS = { daily: { levelMicro: 5, atMs: NOW_MS } };
const OPERATION = "019b78d5-0000-7000-8000-000000000001";
const GENERATIONS = 3;

export async function filled(store: Store): Promise<void> {
  const sessions = Array.from({ length: 9 }, (_, i) => {
    const session = sessionAt(NOW_MS + i, i % 3 === 0 ? METERED : STARTER, `user-${i % 4}`, i < 4 ? "acme" : "o✓/1");
    return i < 6 ? { ...session, issuer: i < 3 ? "login" : "portal" } : session;
  });
  for (const session of sessions) await store.create(session);
  await withRows(store, sessions);
  await withKeys(store, sessions);
  const ids = sessions.map(({ id }) => id);
  await store.revoke(ids[7] ?? "", NOW_MS + 20, audited(ids[7] ?? null, 20));
  await store.usage.endIfIdle(ids[8] ?? "", NOW_MS + 21, ALWAYS);
  await store.audit.appendAudit(audited(null, 22));
  await store.audit.trimAudit({ maxEntries: 1, notBeforeMs: 0, nowMs: NOW_MS }, 1);
  for (let at = 1; at <= GENERATIONS; at++)
    await store.policies.savePolicy(decision(at), at - 1, audited(null, 30 + at));
  await store.policies.forgetPolicies({ newest: 1, also: new Set([1]) });
  await store.revocations.begin(OPERATION, { orgId: "acme" }, NOW_MS + 40, audited(null, 40));
  await store.revocations.expand(OPERATION, 1, NOW_MS + 41);
  await withBudgets(store, ids);
}

const audited = (sessionId: string | null, at: number): AuditEvent => ({
  ...{ at: NOW_MS + at, actor: "file", action: "session-revoked", sessionId },
  details: { n: at, s: "x", none: null },
});

async function withRows(store: Store, [first, second, third]: readonly Session[]): Promise<void> {
  for (const session of [first, second]) await store.usage.hold(session?.id ?? "", EDGE, NOW_MS + 10, ALWAYS);
  await store.usage.hold(first?.id ?? "", OTHER, NOW_MS + 11, ALWAYS);
  const figures = { rev: 2, consumed: 5, levelMicro: -3, atMs: NOW_MS + 12, reportedAtMs: NOW_MS + 13 };
  const rows = [first, third].map((session) => ({ sessionId: session?.id ?? "", ...EDGE, ...figures }));
  await store.usage.report([...rows, { sessionId: first?.id ?? "", ...OTHER, ...figures, limits: LIMITS }], new Map());
}

async function withBudgets(store: Store, [first = "", , , fourth = ""]: readonly string[]): Promise<void> {
  const budgets = [
    { sessionId: first, budget: SPENT },
    { sessionId: fourth, budget: budgetWith(7) },
  ];
  await store.update("leases", [first, fourth], () => ({ answer: undefined, changes: { budgets } }));
  await raisedTo(store, 123_456);
}

async function withKeys(store: Store, [first]: readonly Session[]): Promise<void> {
  const budgets = new Map([[METERED.id, 100]]);
  for (const key of ["op key", "other"]) {
    const consumption = { count: 2, key, keptSinceMs: 0, atMs: NOW_MS + 14, budgets, isLive: ALWAYS };
    await store.usage.consume(first?.id ?? "", consumption);
  }
  for (const key of ["one", "two", "three"]) {
    const repeatable = { key, requestHash: `hash of ${key}`, keptSinceMs: 0 };
    const session = sessionAt(NOW_MS + 15, STARTER, `user of ${key}`);
    await store.operator.issue({ session, limit: null, repeatable, isLive: ALWAYS });
  }
}

/** All that can be asked for of a store that was filled so; of the log, no position. */
export async function whatIsIn(store: Store) {
  const listed = await store.operator.sessionsBefore({ by: "creation" }, undefined, 100);
  const ids = listed.map(({ id }) => id);
  const lists = await Promise.all(
    [
      ...[0, 1, 2, 3].map((i) => ({ by: "user", userId: `user-${i}` }) as const),
      ...["acme", "o✓/1", "o1"].map((orgId) => ({ by: "org", orgId }) as const),
      { by: "issuer", issuer: "login", userId: undefined } as const,
      { by: "issuer", issuer: "portal", userId: "user-3" } as const,
      ...[STARTER, METERED].map(({ id: planId }) => ({ by: "plan", planId }) as const),
    ].map(async (index) => (await store.operator.sessionsBefore(index, undefined, 100)).map(({ id }) => id)),
  );
  const keys = await Promise.all(["one", "two", "three"].map((key) => madeBy(store, key)));
  const policies = await Promise.all(Array.from({ length: GENERATIONS + 1 }, (_, i) => store.policies.policy(i)));
  const operation = await store.revocations.find(OPERATION);
  return {
    sessions: await Promise.all(ids.map((id) => store.find(id))),
    rows: await Promise.all(ids.map((id) => store.usage.rowsOf(id))),
    held: await Promise.all(ids.map(async (id) => (await store.usage.look(id)).found)),
    lists,
    live: await Promise.all([STARTER, METERED].map(({ id }) => store.countLive(id, 0))),
    plans: await store.usage.plansInUse(),
    keys,
    consumed: await Promise.all(["op key", "other"].map((key) => consumedBy(store, ids, key))),
    audit: await store.audit.auditBefore(undefined, 100),
    policies: policies.map((one) => one && { ...one, position: null }),
    newest: await store.policies.newestGeneration(),
    operation: operation && { ...operation, log: undefined, cursor: undefined },
    fleetTime: (await store.fleetTime.read()).ms,
    unfinished: await store.revocations.unfinished(),
    active: await byActivity(store),
  };
}

/** What a creation with the key is answered; nothing is made. */
async function madeBy(store: Store, key: string) {
  const repeatable = { key, requestHash: "another", keptSinceMs: 0 };
  const { outcome } = await store.operator.issue({
    ...{ session: sessionAt(NOW_MS), limit: null, repeatable, isLive: ALWAYS },
  });
  return outcome;
}

const consumedBy = (store: Store, ids: readonly string[], key: string) =>
  Promise.all(
    ids.map(async (sessionId) => {
      const found = await store.update("consumption", { sessionId, key }, ({ earlier }) => unchanged(earlier));
      return found.answer;
    }),
  );

/** Ids in the order of the last activity, by plan. */
const byActivity = (store: Store) =>
  Promise.all(
    [STARTER, METERED].map(async ({ id: planId }) => {
      const ids: string[] = [];
      let after: ActivityCursor | undefined;
      do {
        const wanted = { planId, untilMs: NOW_MS + HOUR_MS, after, limit: 1 };
        const { answer } = await store.update("byActivity", wanted, unchanged);
        ids.push(...answer.page.map(({ session }) => session.id));
        after = answer.next;
      } while (after !== undefined);
      return ids;
    }),
  );
