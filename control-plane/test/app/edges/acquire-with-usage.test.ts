// An acquire that says what was spent: its rows are taken as a report's, and the answer goes by them.
import { describe, expect, it, vi } from "vitest";

import { StoreUnwritable } from "../../../src/app/ports/store-health.js";
import { created, shown, startTestControlPlane } from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import { GRACE_MS } from "../../support/idle-plane.js";
import { HOUR_MS, LIMITED, METERED, sessionAt } from "../../support/sessions.js";

const TOKEN = 1_000_000;
const TAG = "0a1b2c3d";
const limits = { [TAG]: ["daily", "search"] };

async function started(): Promise<[TestControlPlane, string]> {
  const plane = await startTestControlPlane();
  plane.setPlans(LIMITED, METERED);
  const { session } = await created(plane);
  return [plane, session.id];
}

const spent = async (plane: TestControlPlane, id: string): Promise<number> => (await shown(plane, id)).tokens.consumed;

describe("an acquire that says what was spent", () => {
  it("rows of an acquire count once, and its answer has what they say", async () => {
    const [plane, id] = await started();
    plane.clock.advance(1000);
    const usage = [[id, 4, 12, 80 * TOKEN, 0, TAG, [900 * TOKEN, 7 * TOKEN]]];
    const said = { rev: 4, consumed: 12, level: 80 * TOKEN, levels: { daily: 900 * TOKEN, search: 7 * TOKEN } };
    expect((await plane.acquire(id, { usage, limits })).body).toMatchObject({ state: "live", ...said });
    expect((await plane.acquire(id, { usage, limits })).body).toMatchObject(said);
    expect(await spent(plane, id)).toBe(12);
    const { text } = await plane.status("/metrics");
    expect(text).toContain('sluice_control_tokens_consumed_total{plan="limited"} 12');
    expect(text).not.toContain("sluice_control_reports_total{");
  });

  it("levels of a row that is no news are not taken: what is stored counts", async () => {
    const [plane, id] = await started();
    await plane.report([[id, 4, 12, 80 * TOKEN, 0, TAG, [900 * TOKEN, 7 * TOKEN]]], { limits });
    const usage = [[id, 4, 12, 100 * TOKEN, 0, TAG, [10_000 * TOKEN, 20 * TOKEN]]];
    const stored = { level: 80 * TOKEN, levels: { daily: 900 * TOKEN, search: 7 * TOKEN } };
    expect((await plane.acquire(id, { usage, limits })).body).toMatchObject(stored);
  });

  it("rows of each session of a call count, those of sessions that it does not ask about do not", async () => {
    const [plane, id] = await started();
    const [other, third] = [(await created(plane)).session.id, (await created(plane)).session.id];
    const usage = [id, other, third].map((one, i) => [one, 1, i + 1, TOKEN, 0, TAG, [i, i]]);
    const { body } = await plane.acquire(id, { usage, limits, others: [{ session: other }] });
    expect(body).toMatchObject({ levels: { daily: 0 }, others: [{ session: other, rev: 1, levels: { daily: 1 } }] });
    expect([await spent(plane, id), await spent(plane, other), await spent(plane, third)]).toEqual([1, 2, 0]);
  });

  it("a row that spends the session's budget is answered so, with a cursor that covers it", async () => {
    const [plane] = await started();
    const { session } = await created(plane, { plan: "metered" });
    const { cursor } = await plane.store.position();
    const { body } = await plane.acquire(session.id, { usage: [[session.id, 1, 5000, 0, 0]] });
    expect(body).toMatchObject({ state: "live", budgetSpent: true, cursor: cursor + 1 });
  });

  it("a row that tells of activity keeps a session that would have been idle", async () => {
    const [plane, id] = await started();
    const other = (await created(plane)).session.id;
    plane.setPlans({ ...LIMITED, lifetime: 24 * HOUR_MS });
    plane.clock.advance(LIMITED.maxAge + GRACE_MS + 1000);
    const usage = [[id, 1, 1, TOKEN, 5000]];
    expect((await plane.acquire(id, { usage })).body).toMatchObject({ state: "live", consumed: 1 });
    expect((await plane.acquire(other, { usage })).body).toMatchObject({ state: "expired" });
  });

  it("rows of a session that is over count, and the answer says that it is over", async () => {
    const [plane, id] = await started();
    await plane.call("DELETE", `/v1/sessions/${id}`);
    const answer = await plane.acquire(id, { usage: [[id, 3, 9, TOKEN, 0, TAG, [1, 2]]], limits });
    expect(answer.body).toMatchObject({ state: "revoked", rev: 3, consumed: 9 });
    expect(answer.body).not.toHaveProperty("levels");
    expect(await spent(plane, id)).toBe(9);
  });

  it("rows of a session that never was are passed over", async () => {
    const [plane] = await started();
    const stranger = sessionAt(plane.clock.nowMs()).id;
    const { body } = await plane.acquire(stranger, { usage: [[stranger, 3, 9, TOKEN, 0]] });
    expect(body).toMatchObject({ state: "unknown", rev: 0 });
  });

  it("a row that cannot be is dropped and counted, and the acquire is answered", async () => {
    const [plane, id] = await started();
    const usage = [[id, -1, 9, TOKEN, 0], [id, 1, 9, 9e15, 0], null];
    expect((await plane.acquire(id, { usage })).body).toMatchObject({ state: "live", rev: 0, level: 100 * TOKEN });
    const { text } = await plane.status("/metrics");
    expect(text).toContain('sluice_control_report_rows_dropped_total{reason="malformed"} 2');
    expect(text).toContain('sluice_control_report_rows_dropped_total{reason="level"} 1');
  });

  it("rows and answer are one commit: where the store takes no writes nothing is taken", async () => {
    const [plane, id] = await started();
    const update = vi.spyOn(plane.store, "update");
    await plane.acquire(id, { usage: [[id, 1, 5, TOKEN, 0]] });
    expect(update).toHaveBeenCalledTimes(1);
    update.mockRejectedValue(new StoreUnwritable("the disk is full"));
    expect((await plane.acquire(id, { usage: [[id, 2, 6, TOKEN, 0]] })).status).toBe(503);
    update.mockRestore();
    expect(await spent(plane, id)).toBe(5);
  });

  it("an instance that has no row yet, as after a restore, is taken with its row in full", async () => {
    const [plane, id] = await started();
    for (let i = 0; i < 3; i++) {
      await plane.report([[id, 1, 1, TOKEN, 0]], { instance: i.toString(16).padStart(16, "0") });
    }
    const usage = [[id, 9, 40, 3 * TOKEN, 0, TAG, [5, 6]]];
    const answer = await plane.acquire(id, { usage, limits, instance: "eeeeeeeeeeeeeeee" });
    expect(answer.body).toMatchObject({ rev: 9, consumed: 40, levels: { daily: 5, search: 6 } });
    expect(await spent(plane, id)).toBe(43);
  });
});
