// Rows with levels of further limits that cannot be: the row counts without them, and that is counted and named.
import { describe, expect, it } from "vitest";

import { created, expectError, shown, startTestControlPlane } from "../../support/control-plane.js";
import { LIMITED } from "../../support/sessions.js";

const TOKEN = 1_000_000;
const TAG = "0a1b2c3d";
const NAMES = { [TAG]: ["daily", "search"] };
const many = (length: number): string[] => Array.from({ length }, (_, i) => `limit-${i}`);

const bad: [what: string, further: unknown[], limits: unknown][] = [
  ["a tag that has no names", [TAG, [1, 2]], {}],
  ["a tag of no names in a call without any", [TAG, [1, 2]], undefined],
  ["a tag that is none", ["0A1B2C3D", [1, 2]], { "0A1B2C3D": NAMES[TAG] }],
  ["a tag that is too long", [`${TAG}0`, [1, 2]], { [`${TAG}0`]: NAMES[TAG] }],
  ["a tag that is a number", [12_345_678, [1, 2]], { "12345678": NAMES[TAG] }],
  ["a tag in a list", [[TAG], [1, 2]], NAMES],
  ["no levels", [TAG], NAMES],
  ["levels that are no list", [TAG, { daily: 1, search: 2 }], NAMES],
  ["a level too few", [TAG, [1]], NAMES],
  ["a level too many", [TAG, [1, 2, 3]], NAMES],
  ["half a microtoken", [TAG, [1, 0.5]], NAMES],
  ["a level that is null", [TAG, [1, null]], NAMES],
  ["a level past what is exact", [TAG, [1, 2 ** 53]], NAMES],
  ["names that are no list", [TAG, [1, 2]], { [TAG]: "daily" }],
  ["no name", [TAG, []], { [TAG]: [] }],
  ["more names than a plan has limits", [TAG, many(8).map(() => 1)], { [TAG]: many(8) }],
  ["a name in capitals", [TAG, [1, 2]], { [TAG]: ["Daily", "search"] }],
  ["a name that is too long", [TAG, [1]], { [TAG]: ["a".repeat(33)] }],
  ["an empty name", [TAG, [1]], { [TAG]: [""] }],
  ["a name that is no text", [TAG, [1]], { [TAG]: [7] }],
  ["one name twice", [TAG, [1, 2]], { [TAG]: ["daily", "daily"] }],
];

describe("a row whose further levels cannot be", () => {
  it.each(bad)(
    "a row with %s counts without its further levels, which is counted and named",
    async (_, further, limits) => {
      const plane = await startTestControlPlane();
      plane.setPlans(LIMITED);
      const { session } = await created(plane);
      const answer = await plane.report([[session.id, 1, 5, 80 * TOKEN, 0, ...further]], { limits });
      expect(answer.status, answer.text).toBe(200);
      expect((await shown(plane, session.id)).tokens.consumed).toBe(5);
      expect((await plane.acquire(session.id)).body).toMatchObject({ rev: 1, level: 80 * TOKEN });
      expect((await plane.acquire(session.id)).body).not.toHaveProperty("levels");
      const { text } = await plane.status("/metrics");
      expect(text).toContain('sluice_control_report_rows_dropped_total{reason="limits"} 1');
      const lines = plane.logged().split("\n");
      expect(lines.filter((line) => line.includes("report-row-dropped"))).toEqual([
        expect.stringContaining(`"sessionId":"${session.id}","reason":"limits"`),
      ]);
    },
  );

  it.each([9_000_001 * TOKEN, -9_000_001 * TOKEN])("a row with a level of %d in a limit is dropped", async (level) => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    await plane.report([[session.id, 1, 5, TOKEN, 0, TAG, [TOKEN, level]]], { limits: NAMES });
    expect((await shown(plane, session.id)).tokens.consumed).toBe(0);
    const { text } = await plane.status("/metrics");
    expect(text).toContain('sluice_control_report_rows_dropped_total{reason="level"} 1');
  });

  it("rows in both forms, and names that no row uses, are taken from one report", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans(LIMITED);
    const [one, other] = [(await created(plane)).session, (await created(plane)).session];
    const rows = [
      [one.id, 1, 5, TOKEN, 0],
      [other.id, 1, 7, TOKEN, 0, TAG, [TOKEN, 2 * TOKEN], { lease: 1 }],
    ];
    const limits = { ...NAMES, "11111111": ["hourly"], "22222222": null };
    expect((await plane.report(rows, { limits })).status).toBe(200);
    expect((await plane.acquire(one.id)).body).not.toHaveProperty("levels");
    expect((await plane.acquire(other.id)).body).toMatchObject({ levels: { daily: TOKEN, search: 2 * TOKEN } });
    expect(plane.logged()).not.toContain("report-row-dropped");
  });

  it("names that are no object are 400, in a report as in an acquire", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    for (const limits of [7, "daily", ["daily"]]) {
      expectError(await plane.report([], { limits }), "INVALID_REQUEST", "limits");
      expectError(await plane.acquire(session.id, { limits }), "INVALID_REQUEST", "limits");
    }
    expectError(await plane.acquire(session.id, { usage: {} }), "INVALID_REQUEST", "usage");
    expectError(await plane.acquire(session.id, { usage: Array(513).fill(null) }), "INVALID_REQUEST", "usage");
  });
});
