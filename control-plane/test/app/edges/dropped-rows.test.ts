// Rows of a report that cannot be: each is dropped by itself, counted and named, and the others are taken.
import { describe, expect, it } from "vitest";

import { created, expectError, INSTANCE, shown, startTestControlPlane } from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import { sessionAt, STARTER, STARTER_RATE } from "../../support/sessions.js";

const TOKEN = 1_000_000;
const MAX_SAFE = Number.MAX_SAFE_INTEGER;

const spent = async (plane: TestControlPlane, id: string): Promise<number> => (await shown(plane, id)).tokens.consumed;
const linesOf = (plane: TestControlPlane): string[] =>
  plane
    .logged()
    .split("\n")
    .filter((line) => line.includes("report-row-dropped"));

describe("a report with a row that cannot be", () => {
  const id = sessionAt(0).id;
  const malformed: [what: string, row: unknown][] = [
    ["a session that is none", ["x", 1, 1, 1, 1]],
    ["an id in capitals", [id.toUpperCase(), 1, 1, 1, 1]],
    ["an id of another version", ["0192f0c1-7a3b-4000-8000-000000000000", 1, 1, 1, 1]],
    ["a rev below 0", [id, -1, 1, 1, 1]],
    ["a rev past 32 bits", [id, 2 ** 32, 1, 1, 1]],
    ["a rev as text", [id, "1", 1, 1, 1]],
    ["half a token", [id, 1, 0.5, 1, 1]],
    ["less than no tokens", [id, 1, -1, 1, 1]],
    ["tokens past what is exact", [id, 1, 2 ** 53, 1, 1]],
    ["a level that is null", [id, 1, 1, null, 1]],
    ["a level past what is exact", [id, 1, 1, -(2 ** 53), 1]],
    ["a time to come", [id, 1, 1, 1, -1]],
    ["too few values", [id, 1, 1, 1]],
    ["no row", {}],
    ["nothing", null],
  ];
  const beyond: [what: string, row: (id: string) => unknown, reason: string][] = [
    ["2^53 - 1 tokens", (own) => [own, 1, MAX_SAFE, 1, 1], "consumed"],
    ["a level of -9e15", (own) => [own, 1, 1, -9e15, 1], "level"],
    ["a level above any plan's", (own) => [own, 1, 1, 9_000_001 * TOKEN, 1], "level"],
  ];
  const bad = [...malformed.map(([what, row]) => [what, () => row, "malformed"] as const), ...beyond];

  it.each(bad)(
    "a row with %s is dropped and counted, and the others are taken and acknowledged",
    async (_, row, why) => {
      const plane = await startTestControlPlane();
      const [one, other, own] = [await created(plane), await created(plane), await created(plane)];
      const rows = [[one.session.id, 1, 5, 1, 1], row(own.session.id), [other.session.id, 1, 7, 1, 1]];
      const answer = await plane.report(rows);
      expect(answer.status, answer.text).toBe(200);
      expect(answer.body).toMatchObject({ refresh: [] });
      expect([await spent(plane, one.session.id), await spent(plane, other.session.id)]).toEqual([5, 7]);
      expect(await spent(plane, own.session.id)).toBe(0);
      const { text } = await plane.status("/metrics");
      expect(text).toContain(`sluice_control_report_rows_dropped_total{reason="${why}"} 1`);
      expect(linesOf(plane)).toEqual([expect.stringContaining(`"edge":"gw-1","instance":"${INSTANCE}"`)]);
      expect(linesOf(plane)[0]).toContain(`"reason":"${why}"`);
    },
  );

  it("a row that is dropped is named by its session, in at most 20 lines a minute", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    await plane.report(Array.from({ length: 512 }, (_, rev) => [session.id, rev + 1, -1, 0, 0]));
    expect(linesOf(plane)).toHaveLength(20);
    expect(linesOf(plane)[0]).toContain(`"sessionId":"${session.id}"`);
    plane.clock.advance(60_000);
    await plane.report([[session.id, 1, -1, 0, 0]]);
    expect(linesOf(plane).at(-1)).toContain('"unnamed":492');
    const { text } = await plane.status("/metrics");
    expect(text).toContain('sluice_control_report_rows_dropped_total{reason="malformed"} 513');
  });

  it("a report whose rows are no list, or too many, is 400 as a whole", async () => {
    const plane = await startTestControlPlane();
    expectError(await plane.report({} as unknown[]), "INVALID_REQUEST", "usage");
    expectError(await plane.report(Array(513).fill(null)), "INVALID_REQUEST", "usage");
  });
});

describe("what an instance can have consumed", () => {
  it("what the largest plan allows at a session's age is taken, and nothing above it", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    plane.clock.advance(10_000);
    // One request may have turned out to cost 2^32 - 1.
    const most = 16 * 9_000_000 + 10 * 1_000_000 + 2 ** 32 - 1;
    await plane.report([[session.id, 1, most + 1, 0, 0]]);
    expect(await spent(plane, session.id)).toBe(0);
    await plane.report([[session.id, 1, most, 0, 0]]);
    expect(await spent(plane, session.id)).toBe(most);
  });

  it("a session from a clock that was ahead is of no known age, and its rows are taken", async () => {
    const plane = await startTestControlPlane();
    const ahead = sessionAt(plane.clock.nowMs() + 3_600_000);
    await plane.store.create(ahead);
    const much = 16 * 9_000_000 + 2 ** 32;
    await plane.report([[ahead.id, 1, much, 0, 0]]);
    expect(await spent(plane, ahead.id)).toBe(much);
  });

  it("the sum over instances stays exact: a row that would take it past 2^53 - 1 is dropped", async () => {
    const plane = await startTestControlPlane();
    const year = 365 * 86_400_000;
    plane.setPlans({ ...STARTER, lifetime: 20 * year });
    const { session } = await created(plane);
    plane.clock.advance(10 * year);
    const most = 10 * 31_536_000 * 1_000_000;
    const instances = Array.from({ length: 30 }, (_, i) => ({ instance: i.toString(16).padStart(16, "0") }));
    for (const instance of instances) await plane.report([[session.id, 1, most, 0, 0]], instance);
    const fits = Math.floor(MAX_SAFE / most);
    expect(await spent(plane, session.id)).toBe(fits * most);
    await plane.report([[session.id, 1, 3, 0, 0]], { instance: "f".repeat(16) });
    expect(await spent(plane, session.id)).toBe(fits * most + 3);
    const { text } = await plane.status("/metrics");
    expect(text).toContain(`sluice_control_report_rows_dropped_total{reason="sum"} ${30 - fits}`);
  });
});

describe("a level that a report makes up", () => {
  it("a debt beyond the plan's bucket is paid off as soon as a bucket of debt is", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    await plane.report([[session.id, 1, 1, -9_000_000 * TOKEN, 0]]);
    expect((await plane.acquire(session.id)).body).toMatchObject({ level: -STARTER.maxTokens * TOKEN });
    const emptyAgainMs = (STARTER.maxTokens / STARTER_RATE) * 1000;
    plane.clock.advance(emptyAgainMs + 1001);
    expect((await plane.acquire(session.id)).body).toMatchObject({ level: STARTER_RATE * TOKEN });
    const path = `/v1/sessions/${session.id}/bucket`;
    expect((await plane.call("GET", path)).body).toMatchObject({ buckets: [{ tokens: STARTER_RATE }] });
  });

  it("a level above the plan's bucket counts as a full one", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    await plane.report([[session.id, 1, 1, 9_000_000 * TOKEN, 0]]);
    expect((await plane.acquire(session.id)).body).toMatchObject({ level: STARTER.maxTokens * TOKEN });
  });
});
