// A creation with an Idempotency-Key: repeated, it gives the same session and the same token again.
import { describe, expect, it } from "vitest";

import { sweepSessions } from "../../../src/app/upkeep/sweep-sessions.js";
import type { Answer, Created, TestControlPlane } from "../../support/control-plane.js";
import { expectError, startTestControlPlane } from "../../support/control-plane.js";
import { GRACE_MS } from "../../support/idle-plane.js";
import { HOUR_MS, METERED, STARTER } from "../../support/sessions.js";

const FIELDS = { userId: "u1", orgId: "o1" };
const DAY_MS = 24 * HOUR_MS;
const LONG = { ...STARTER, lifetime: 10 * DAY_MS };

const create = (plane: TestControlPlane, body: object | string = FIELDS, key = "k-1"): Promise<Answer> =>
  plane.call("POST", "/v1/sessions", body, undefined, { "idempotency-key": key });

describe("a creation that is repeated under its key", () => {
  it("a repeated creation gives the same session and token, and says so", async () => {
    const plane = await startTestControlPlane();
    const first = await create(plane);
    const again = await create(plane);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body).toEqual(first.body);
    expect(first.headers.get("idempotent-replayed")).toBeNull();
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(await plane.store.countLive(STARTER.id, 0)).toBe(1);
  });

  it("a repeated creation may have its fields in another order", async () => {
    const plane = await startTestControlPlane();
    const first = await create(plane, '{"userId":"u1","orgId":"o1","metadata":{"ip":"::1"}}');
    const again = await create(plane, '{"metadata":{"ip":"::1"}, "orgId":"o1", "userId":"u1"}');
    expect(again.body).toEqual(first.body);
  });

  it("creations under one key that come at once give one session", async () => {
    const plane = await startTestControlPlane();
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(plane)));
    const tokens = new Set(answers.map(({ body }) => (body as Created).token));
    expect(tokens.size).toBe(1);
    expect(await plane.store.countLive(STARTER.id, 0)).toBe(1);
  });

  it("a start with the clock days ahead forgets no key before a grace has passed", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans(LONG);
    const first = await create(plane);
    plane.clock.step(3 * DAY_MS);
    for (const key of ["k-2", "k-3"]) await create(plane, FIELDS, key);
    expect((await create(plane)).body).toEqual(first.body);
    plane.clock.advance(GRACE_MS);
    const later = await create(plane);
    expect(later.body).not.toEqual(first.body);
  });

  it("a repeated creation does not count again in the user's limit", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans({ ...STARTER, maxSessionsPerUser: 1 });
    await create(plane);
    expect((await create(plane)).status).toBe(201);
    expectError(await create(plane, FIELDS, "k-2"), "TOO_MANY_SESSIONS");
  });

  it("a repeated creation gives the same token, also after a change of plan", async () => {
    const plane = await startTestControlPlane();
    const first = (await create(plane)).body as Created;
    await plane.call("PATCH", `/v1/sessions/${first.session.id}`, { plan: METERED.name });
    const again = (await create(plane)).body as Created;
    expect(again.token).toBe(first.token);
    expect(again.session.plan).toBe(METERED.name);
  });

  it.each([
    ["another user", { ...FIELDS, userId: "u2" }],
    ["another plan", { ...FIELDS, plan: "metered" }],
    ["other metadata", { ...FIELDS, metadata: { route: "/a" } }],
  ])("a key that is used again for %s is 422, and no session is made", async (_what, body) => {
    const plane = await startTestControlPlane();
    await create(plane);
    expectError(await create(plane, body), "IDEMPOTENCY_KEY_REUSED", "idempotency-key");
    expect(await plane.store.countLive(STARTER.id, 0)).toBe(1);
  });

  it("a creation after 24 hours, or under another key, makes another session", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans(LONG);
    const first = (await create(plane)).body as Created;
    expect(((await create(plane, FIELDS, "k-2")).body as Created).session.id).not.toBe(first.session.id);
    plane.clock.advance(DAY_MS);
    expect(((await create(plane)).body as Created).session.id).toBe(first.session.id);
    plane.clock.advance(1);
    const later = (await create(plane)).body as Created;
    expect(later.session.id).not.toBe(first.session.id);
    expect(((await create(plane)).body as Created).session.id).toBe(later.session.id);
  });

  it("a creation that is repeated when its session has ended and was removed is 409", async () => {
    const plane = await startTestControlPlane();
    await create(plane);
    plane.clock.advance(HOUR_MS);
    await sweepSessions(plane.ports, () => false);
    const said = expectError(await create(plane), "SESSION_ENDED");
    expect(said).toBe("The session that this Idempotency-Key made has ended and is not kept");
  });

  it("a creation that failed leaves its key free", async () => {
    const plane = await startTestControlPlane();
    expectError(await create(plane, { ...FIELDS, plan: "gold" }), "UNKNOWN_PLAN", "plan");
    expect((await create(plane)).status).toBe(201);
  });

  it.each(["x".repeat(256), "a b"])("the idempotency key %j is 400", async (key) => {
    const plane = await startTestControlPlane();
    expectError(await create(plane, FIELDS, key), "INVALID_REQUEST", "idempotency-key");
  });
});
