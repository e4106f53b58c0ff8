// Rows of sessions that spend on a lease: what was spent counts, and what is left of the lease is no level of the session.
import { describe, expect, it } from "vitest";

import { created, shown, startTestControlPlane } from "../../support/control-plane.js";
import { LIMITED } from "../../support/sessions.js";

const TOKEN = 1_000_000;
const TAG = "0a1b2c3d";
const OF_EDGE = { limits: { [TAG]: ["daily", "search"] } };
const OF_LEASE = { fleet: [TAG] };

async function started() {
  const plane = await startTestControlPlane();
  plane.setPlans(LIMITED);
  const { session } = await created(plane);
  return { plane, id: session.id };
}

describe("a report of a session that spends on a lease", () => {
  it("what was spent on a lease counts, and what is left of it is no level of a bucket", async () => {
    const { plane, id } = await started();
    await plane.report([[id, 3, 12, 2 * TOKEN, 0, TAG, [TOKEN, TOKEN]]], OF_LEASE);
    expect((await shown(plane, id)).tokens.consumed).toBe(12);
    const { body } = await plane.acquire(id);
    expect(body).toMatchObject({ consumed: 12, rev: 3, level: 100 * TOKEN });
    expect(body).not.toHaveProperty("levels");
  });

  it("levels of limits from before a lease stay as they were reported", async () => {
    const { plane, id } = await started();
    await plane.report([[id, 1, 5, 40 * TOKEN, 0, TAG, [9000 * TOKEN, 3 * TOKEN]]], OF_EDGE);
    await plane.report([[id, 3, 12, 2 * TOKEN, 0, TAG, [TOKEN, TOKEN]]], { ...OF_EDGE, ...OF_LEASE });
    expect((await plane.acquire(id)).body).toMatchObject({ levels: { daily: 9000 * TOKEN, search: 3 * TOKEN } });
  });

  it("a row of a lease needs no names of its limits, and none of it is dropped", async () => {
    const { plane, id } = await started();
    await plane.report([[id, 3, 12, 2 * TOKEN, 0, TAG]], OF_LEASE);
    await plane.report([[id, 4, 13, 2 * TOKEN, 0, TAG, ["x"]]], OF_LEASE);
    expect((await shown(plane, id)).tokens.consumed).toBe(13);
    expect(plane.logged()).not.toContain("report-row-dropped");
  });

  it("an acquire that says what was spent on a lease is answered without its levels", async () => {
    const { plane, id } = await started();
    const usage = [[id, 3, 12, 2 * TOKEN, 0, TAG, [TOKEN, TOKEN]]];
    const { body } = await plane.acquire(id, { usage, ...OF_LEASE });
    expect(body).toMatchObject({ consumed: 12, rev: 3, level: 100 * TOKEN });
  });

  it("once the edge has buckets of its own again, its next report gives their levels", async () => {
    const { plane, id } = await started();
    await plane.report([[id, 3, 12, 2 * TOKEN, 0, TAG]], OF_LEASE);
    await plane.report([[id, 4, 13, 55 * TOKEN, 0, TAG, [TOKEN, 2 * TOKEN]]], OF_EDGE);
    const levels = { daily: TOKEN, search: 2 * TOKEN };
    expect((await plane.acquire(id)).body).toMatchObject({ level: 55 * TOKEN, levels });
  });
});
