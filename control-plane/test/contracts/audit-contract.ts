// What every audit log must do, whatever it is made of. An adapter's test calls this with a way to open a store.
import { expect, it } from "vitest";

import type { Stores } from "../../src/app/ports/stores.js";
import type { AuditEvent } from "../../src/domain/stored.js";
import { decision } from "./policy-contract.js";
import { sessionAt } from "../support/sessions.js";
import type { WithVerbs } from "../support/store-verbs.js";

const NOW_MS = Date.UTC(2026, 0, 1);
const eventAt = (at: number): AuditEvent => ({
  ...{ at, actor: "operator:1", action: "session-revoked", sessionId: null, details: { reason: "test", count: 1 } },
});

/** `open` gives an empty store and sees to its end. */
export function auditContract(open: () => Promise<WithVerbs<Stores>>): void {
  const numbers = async ({ audit }: Stores, before?: number, limit = 99): Promise<number[]> =>
    (await audit.auditBefore(before, limit)).map(({ number }) => number);

  it("events are numbered in the order in which they came, and read back the newest first", async () => {
    const store = await open();
    for (let i = 1; i <= 4; i++) await store.audit.appendAudit(eventAt(NOW_MS + i));
    expect(await store.audit.auditBefore(undefined, 1)).toEqual([{ number: 4, ...eventAt(NOW_MS + 4) }]);
    expect(await numbers(store)).toEqual([4, 3, 2, 1]);
    expect(await numbers(store, 3)).toEqual([2, 1]);
    expect(await numbers(store, 4, 2)).toEqual([3, 2]);
  });

  it("entries past the number that is kept go, the oldest first, in steps", async () => {
    const store = await open();
    for (let i = 1; i <= 5; i++) await store.audit.appendAudit(eventAt(NOW_MS));
    const bounds = { maxEntries: 2, notBeforeMs: 0, nowMs: Infinity };
    expect(await store.audit.trimAudit(bounds, 2)).toBe(2);
    expect(await store.audit.trimAudit(bounds, 2)).toBe(1);
    expect(await store.audit.trimAudit(bounds, 2)).toBe(0);
    expect(await numbers(store)).toEqual([5, 4]);
  });

  it("entries of a clock that was ahead keep no later ones from going at their time", async () => {
    const store = await open();
    const bounds = { maxEntries: 99, notBeforeMs: NOW_MS, nowMs: NOW_MS + 9 };
    for (const at of [1e15, 1e15, NOW_MS - 1, 1e15, NOW_MS + 1]) await store.audit.appendAudit(eventAt(at));
    expect(await store.audit.trimAudit(bounds, 9)).toBe(3);
    expect(await store.audit.trimAudit(bounds, 9)).toBe(0);
    expect(await store.audit.trimAudit({ ...bounds, notBeforeMs: NOW_MS + 5 }, 1)).toBe(0);
    await store.audit.appendAudit(eventAt(NOW_MS + 2));
    expect(await store.audit.trimAudit({ ...bounds, notBeforeMs: NOW_MS + 5 }, 1)).toBe(1);
    expect(await numbers(store)).toEqual([6, 5]);
  });

  it("entries past their age go but for the last, after which the numbers go on", async () => {
    const store = await open();
    for (let i = 1; i <= 3; i++) await store.audit.appendAudit(eventAt(NOW_MS + i));
    expect(await store.audit.trimAudit({ maxEntries: 9, notBeforeMs: NOW_MS + 9, nowMs: Infinity }, 9)).toBe(2);
    expect(await numbers(store)).toEqual([3]);
    await store.audit.appendAudit(eventAt(NOW_MS));
    expect(await numbers(store)).toEqual([4, 3]);
  });

  it("what a change is audited as is written with it, and not where nothing changed", async () => {
    const store = await open();
    const session = sessionAt(NOW_MS);
    await store.create(session);
    await store.revoke(session.id, NOW_MS, eventAt(NOW_MS + 7));
    await store.revoke(session.id, NOW_MS, eventAt(NOW_MS + 8));
    const event = eventAt(NOW_MS + 7);
    const audited = { number: 1, ...event, details: { ...event.details, issuer: null } };
    expect(await store.audit.auditBefore(undefined, 9)).toEqual([audited]);
  });

  it("an accepted policy is audited with it, and one that lost the race is not", async () => {
    const store = await open();
    await store.policies.savePolicy(decision(1), 0, eventAt(NOW_MS + 1));
    await store.policies.savePolicy(decision(1), 0, eventAt(NOW_MS + 2));
    expect(await store.audit.auditBefore(undefined, 9)).toEqual([{ number: 1, ...eventAt(NOW_MS + 1) }]);
  });
}
