// Listing sessions: GET /v1/sessions, by user, organisation, plan and state, page by page.
import { describe, expect, it, vi } from "vitest";

import { created, expectError, startTestControlPlane } from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import type { SessionView } from "../../../src/app/sessions/sessions.js";
import { HOUR_MS, sessionAt, STARTER } from "../../support/sessions.js";

interface Page {
  readonly sessions: readonly SessionView[];
  readonly cursor: string | null;
}

async function page(plane: TestControlPlane, query: string): Promise<Page> {
  const answer = await plane.call("GET", `/v1/sessions${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body as Page;
}

const ids = ({ sessions }: Page): string[] => sessions.map(({ id }) => id);

/** Follows the cursors to the end; `between` happens after each page. */
async function all(plane: TestControlPlane, query: string, between = () => Promise.resolve()): Promise<string[]> {
  const found: string[] = [];
  let next: string | null = null;
  do {
    const one: Page = await page(plane, next === null ? `?${query}` : `?${query}&cursor=${next}`);
    found.push(...ids(one));
    next = one.cursor;
    await between();
  } while (next !== null);
  return found;
}

/** Created one after the other, so that their order is known; the newest first. */
async function several(plane: TestControlPlane, count: number, fields: object = {}): Promise<string[]> {
  const made: string[] = [];
  for (let i = 0; i < count; i++) {
    plane.clock.advance(1);
    made.unshift((await created(plane, fields)).session.id);
  }
  return made;
}

describe("a list of sessions", () => {
  it("a page of the store that is short for a session that has just gone does not end the list", async () => {
    const plane = await startTestControlPlane();
    const made = await several(plane, 5);
    const real = plane.ports.operator.sessionsBefore.bind(plane.ports.operator);
    const look = vi.spyOn(plane.ports.operator, "sessionsBefore");
    look.mockImplementationOnce(async (...asked) => (await real(...asked)).slice(0, 2));
    expect(await all(plane, "")).toEqual(made);
  });

  it("a list has the newest session first, each as it is shown alone", async () => {
    const plane = await startTestControlPlane();
    const made = await several(plane, 3);
    const { sessions, cursor } = await page(plane, "");
    expect(sessions.map(({ id }) => id)).toEqual(made);
    expect(cursor).toBeNull();
    const answer = await plane.call("GET", `/v1/sessions/${made[0] ?? ""}`);
    expect(answer.body).toEqual({ session: sessions[0] });
  });

  it("a list is empty where nothing matches the filter", async () => {
    const plane = await startTestControlPlane();
    await created(plane);
    for (const query of ["?userId=u2", "?orgId=o2", "?plan=metered", "?state=expired", "?userId=u1&orgId=o2"]) {
      expect(await page(plane, query)).toMatchObject({ sessions: [], cursor: null });
    }
  });

  it("a list is filtered by user, organisation, plan and state, alone or together", async () => {
    const plane = await startTestControlPlane();
    const [starter = ""] = await several(plane, 1, { userId: "a", orgId: "x" });
    const [metered = ""] = await several(plane, 1, { userId: "a", orgId: "y", plan: "metered" });
    const [other = ""] = await several(plane, 1, { userId: "b", orgId: "x" });
    const [revoked = ""] = await several(plane, 1, { userId: "b", orgId: "y", plan: "metered" });
    await plane.call("DELETE", `/v1/sessions/${revoked}`);
    const expected: [query: string, ids: string[]][] = [
      ["userId=a", [metered, starter]],
      ["orgId=x", [other, starter]],
      ["plan=metered", [revoked, metered]],
      ["plan=metered&state=live", [metered]],
      ["plan=metered&state=revoked", [revoked]],
      ["state=live", [other, metered, starter]],
      ["userId=a&orgId=x", [starter]],
      ["userId=b&state=revoked", [revoked]],
      ["orgId=x&plan=starter&state=live", [other, starter]],
    ];
    for (const [query, those] of expected) expect(ids(await page(plane, `?${query}`)), query).toEqual(those);
    plane.clock.advance(HOUR_MS);
    expect(ids(await page(plane, "?state=expired"))).toEqual([other, metered, starter]);
    expect(ids(await page(plane, "?plan=metered&state=live"))).toEqual([]);
  });

  it("pages name each session once while others are created and revoked", async () => {
    const plane = await startTestControlPlane();
    const made = await several(plane, 23);
    for (const query of ["limit=5", "limit=5&userId=u1", "limit=5&orgId=o1"]) {
      const before = (await all(plane, "limit=1000")).length;
      const found = await all(plane, query, async () => {
        plane.clock.advance(1);
        await created(plane);
      });
      expect(found).toHaveLength(before);
      expect(new Set(found).size).toBe(before);
      expect(found.slice(-made.length)).toEqual(made);
    }
  });

  it("a list is paged to its end for users whose ids begin alike", async () => {
    const plane = await startTestControlPlane();
    const made = await several(plane, 3, { userId: "ab" });
    await several(plane, 2, { userId: "a" });
    await several(plane, 2, { userId: "abc" });
    expect(await all(plane, "userId=ab&limit=1")).toEqual(made);
  });

  it("a page may be empty and not the last, where a filter reads all sessions", async () => {
    const plane = await startTestControlPlane();
    const rare = sessionAt(plane.clock.nowMs(), undefined, "rare");
    await plane.store.create({ ...rare, revokedAt: plane.clock.nowMs() });
    const many = Array.from({ length: 5001 }, (_, i) => sessionAt(plane.clock.nowMs() + 1 + i));
    await Promise.all(many.map((session) => plane.store.create(session)));
    const first = await page(plane, "?state=revoked");
    expect(first).toMatchObject({ sessions: [], cursor: expect.any(String) as string });
    const second = await page(plane, `?state=revoked&cursor=${first.cursor ?? ""}`);
    expect(ids(second)).toEqual([rare.id]);
    expect(second.cursor).toBeNull();
  });

  it.each([
    ["limit=0", "limit"],
    ["limit=1001", "limit"],
    ["limit=ten", "limit"],
    ["cursor=abc", "cursor"],
    ["cursor=%21", "cursor"],
    ["state=dead", "state"],
    ["userId=", "userId"],
    ["sort=userId", "sort"],
    ["plan=Gold", "plan"],
  ])("GET /v1/sessions?%s is 400 and names the field", async (query, field) => {
    const plane = await startTestControlPlane();
    expectError(await plane.call("GET", `/v1/sessions?${query}`), "INVALID_REQUEST", field);
  });

  it.each([
    ["state=dead", "state is wrong: expected one of live, revoked, expired"],
    ["cursor=zzz", "cursor is wrong: expected the cursor of the page before, as it was answered"],
  ])("GET /v1/sessions?%s is 400 and says what was expected", async (query, message) => {
    const plane = await startTestControlPlane();
    const [field = ""] = query.split("=");
    expect(expectError(await plane.call("GET", `/v1/sessions?${query}`), "INVALID_REQUEST", field)).toBe(message);
  });

  it("a list for a plan that the policy lacks is 400 and names the plans", async () => {
    const plane = await startTestControlPlane();
    const unknown = async () => expectError(await plane.call("GET", "/v1/sessions?plan=gold"), "UNKNOWN_PLAN", "plan");
    expect(await unknown()).toBe("plan is unknown: expected one of starter, metered");
    plane.setPlans(...Array.from({ length: 22 }, (_, id) => ({ ...STARTER, id, name: `plan-${id}` })));
    expect(await unknown()).toMatch(/ one of plan-0, .*, plan-19 and 2 more$/);
    plane.setPlans();
    expect(await unknown()).toBe("The policy has no plan of this name");
  });
});
