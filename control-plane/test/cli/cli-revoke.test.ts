// The command line: what `sluice session revoke` says of sessions and of the edges that confirmed.
import { describe, expect, it } from "vitest";

import { jsonLines, sluice } from "../support/cli.js";
import type { World } from "../support/cli.js";
import { created, shown, startTestControlPlane } from "../support/control-plane.js";
import type { TestControlPlane } from "../support/control-plane.js";
import { answer, answering } from "../support/scripted-server.js";
import { until } from "../support/until.js";

const UNKNOWN = "019b76da-a800-7000-8000-000000000000";

const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** A control plane with a session, and edges that have confirmed nothing yet. */
async function planeWithEdges(...names: string[]) {
  const plane = await startTestControlPlane();
  const { session } = await created(plane);
  for (const name of names) plane.confirming.says(name, 0);
  return { plane, id: session.id };
}

/** One clock for program and control plane. */
const worldOf = (plane: TestControlPlane): World => ({
  url: plane.url,
  monotonicMs: () => plane.clock.monotonicMs(),
});

/** Lets time pass once the control plane holds the wait. */
async function passes(plane: TestControlPlane, ms: number): Promise<void> {
  await until(() => {
    expect(plane.confirming.waiting).toBe(1);
  });
  plane.timers.advance(ms);
}

describe("session revoke of one session", () => {
  it("session revoke says that all edges have confirmed, with exit code 0", async () => {
    const { plane, id } = await planeWithEdges();
    for (const edge of ["gw-a", "gw-b", "gw-c"]) plane.confirming.says(edge, 1);
    const ran = await sluice(`session revoke ${id}`, worldOf(plane));
    expect(ran).toMatchObject({ code: 0, out: `${id} is revoked; all 3 edges confirmed\n`, err: "" });
    expect(await shown(plane, id)).toMatchObject({ state: "revoked" });
  });

  it("session revoke waits 5 s and names the edges that have not confirmed, with exit code 6", async () => {
    const { plane, id } = await planeWithEdges("gw-a", "gw-b", "gw-c");
    const running = sluice(`session revoke ${id}`, worldOf(plane));
    await passes(plane, 4999);
    for (const edge of ["gw-a", "gw-c"]) plane.confirming.says(edge, 1);
    await passes(plane, 1);
    expect(await running).toMatchObject({
      code: 6,
      out: `${id} is revoked; 2 of 3 edges confirmed within 5 s, not: gw-b\n`,
      err:
        "sluice: UNCONFIRMED: 1 of 3 edges may still admit what was revoked\n" +
        "The revocation stands. Repeat the command to wait again; sluice edges shows what those edges do\n",
    });
    plane.confirming.says("gw-b", 1);
    const again = await sluice(`session revoke ${id}`, worldOf(plane));
    expect(again).toMatchObject({ code: 0, out: `${id} is revoked; all 3 edges confirmed\n` });
  });

  it("session revoke waits as long as --wait says", async () => {
    const { plane, id } = await planeWithEdges("gw-a");
    const running = sluice(`session revoke ${id} --wait 1500ms`, worldOf(plane));
    await passes(plane, 1500);
    const { code, out } = await running;
    expect([code, out]).toEqual([6, `${id} is revoked; 0 of 1 edge confirmed within 1500 ms, not: gw-a\n`]);
  });

  it("session revoke does not claim to have waited where the answer comes at once", async () => {
    const { plane, id } = await planeWithEdges("gw-a");
    const running = sluice(`session revoke ${id}`, worldOf(plane));
    await passes(plane, 1000);
    await plane.app.close();
    const { code, out } = await running;
    expect([code, out]).toEqual([6, `${id} is revoked; 0 of 1 edge confirmed so far, not: gw-a\n`]);
  });

  it("session revoke does not wait with --no-wait", async () => {
    const { plane, id } = await planeWithEdges("gw-a");
    expect(await sluice(`session revoke ${id} --no-wait`, plane)).toMatchObject({ code: 0, out: `${id} is revoked\n` });
    const json = await sluice(`session revoke ${id} --no-wait --json`, plane);
    expect(jsonLines(json)).toEqual([{ id, revoked: true }]);
  });

  it("session revoke says that there are no edges, with exit code 0", async () => {
    const { plane, id } = await planeWithEdges();
    const ran = await sluice(`session revoke ${id}`, plane);
    expect(ran).toMatchObject({ code: 0, out: `${id} is revoked; there are no edges to confirm it\n`, err: "" });
  });

  it("session revoke prints the same figures as JSON", async () => {
    const { plane, id } = await planeWithEdges("gw-a", "gw-b");
    plane.confirming.says("gw-a", 1);
    const ran = await sluice(`session revoke ${id} --wait 0 --json`, plane);
    expect(ran.code).toBe(6);
    expect(jsonLines(ran)).toEqual([{ id, revoked: true, revocation: { edges: 2, confirmed: 1, pending: ["gw-b"] } }]);
    expect(JSON.parse(ran.err)).toMatchObject({ error: { code: "UNCONFIRMED" } });
  });

  it("session revoke of no session is exit code 1, and says nothing of edges", async () => {
    const { plane } = await planeWithEdges("gw-a");
    const ran = await sluice(`session revoke ${UNKNOWN}`, plane);
    expect(ran).toMatchObject({ code: 1, out: "" });
    expect(ran.err).toContain(`${UNKNOWN}: SESSION_NOT_FOUND`);
  });

  it("session revoke waits for the answer as long as --wait takes", async () => {
    let calls = 0;
    const { url } = await answering((request, response) => {
      calls += 1;
      if (calls === 1) answer(204, "")(request, response);
    });
    const ran = await sluice(`session revoke ${UNKNOWN} --timeout 1 --wait 500ms`, { url });
    expect(ran).toMatchObject({ code: 3, out: `${UNKNOWN} is revoked\n` });
    expect(ran.err).toContain("nothing within 1.5 s");
  });

  it("session revoke names at most 20 edges, and how many more there are", async () => {
    const names = Array.from({ length: 23 }, (_, i) => `gw-${i}`);
    const { plane, id } = await planeWithEdges(...names);
    const { out } = await sluice(`session revoke ${id} --wait 0`, plane);
    expect(out).toMatch(/0 of 23 edges confirmed so far, not: gw-0, .*gw-19 and 3 more\n$/);
  });
});

describe("session revoke of several sessions", () => {
  it("session revoke of several waits once for all, and goes on past one that does not exist", async () => {
    const { plane, id } = await planeWithEdges("gw-a");
    const two = await created(plane);
    const running = sluice(`session revoke ${id} ${UNKNOWN} ${two.session.id}`, worldOf(plane));
    await passes(plane, 10);
    expect(await shown(plane, two.session.id)).toMatchObject({ state: "revoked" });
    plane.confirming.says("gw-a", 2);
    const ran = await running;
    expect(ran.code).toBe(1);
    expect(ran.out).toBe(`${id} is revoked\n${two.session.id} is revoked\nthe only edge confirmed\n`);
    expect(ran.err).toContain(`${UNKNOWN}: SESSION_NOT_FOUND`);
  });

  it("session revoke of several prints a line of JSON for each, with the edges' figures", async () => {
    const { plane, id } = await planeWithEdges("gw-a");
    plane.confirming.says("gw-a", 1);
    const ran = await sluice(`session revoke ${UNKNOWN} ${id} --json`, plane);
    expect(ran.code).toBe(1);
    expect(jsonLines(ran)).toEqual([
      { id: UNKNOWN, revoked: false, code: "SESSION_NOT_FOUND" },
      { id, revoked: true, revocation: { edges: 1, confirmed: 1, pending: [] } },
    ]);
  });

  it("session revoke of several is exit code 6 where an edge has not confirmed", async () => {
    const { plane, id } = await planeWithEdges("gw-a");
    const ran = await sluice(`session revoke ${UNKNOWN} ${id} --wait 0`, plane);
    expect(ran).toMatchObject({ code: 6 });
    expect(ran.err).toContain("SESSION_NOT_FOUND");
  });

  it("session revoke of several says which are revoked when the control plane fails", async () => {
    const failure = answer(500, { error: { code: "INTERNAL", message: "said so" } });
    const both = await answering(answer(204, ""), failure);
    const ran = await sluice(`session revoke ${UNKNOWN} ${UNKNOWN} ${UNKNOWN}`, both);
    expect(ran).toMatchObject({ code: 5, out: `${UNKNOWN} is revoked\n` });
    const again = await answering(answer(204, ""), failure);
    const json = await sluice(`session revoke ${UNKNOWN} ${UNKNOWN} --json`, again);
    expect(jsonLines(json)).toEqual([{ id: UNKNOWN, revoked: true }]);
  });
});

describe("session revoke --user and --org", () => {
  it.each(["--user u1", "--org o1"])(
    "session revoke %s revokes all of them and waits until it is finished",
    async (whose) => {
      const { plane, id } = await planeWithEdges();
      await created(plane);
      const other = await created(plane, { userId: "u2", orgId: "o2" });
      const ran = await sluice(`session revoke ${whose}`, { url: plane.url, onSleep: () => nextTurn() });
      expect(ran.code, ran.err).toBe(0);
      expect(ran.out).toMatch(
        /is finished: 2 sessions looked at, 2 revoked by it; there are no edges to confirm it\n$/,
      );
      expect(await shown(plane, id)).toMatchObject({ state: "revoked" });
      expect(await shown(plane, other.session.id)).toMatchObject({ state: "live" });
    },
  );

  it("session revoke --user shows its progress on the error stream", async () => {
    const edges = { edges: 1, confirmed: 1, pending: [] };
    const now = (state: string, examined: number): object => ({
      revocation: { id: "r1", state, examined, revoked: examined, ...edges },
    });
    const { url } = await answering(
      answer(202, now("running", 0)),
      answer(200, now("running", 200)),
      answer(200, now("running", 200)),
      answer(200, now("finished", 250)),
    );
    expect(await sluice("session revoke --user u1", { url })).toEqual({
      code: 0,
      out: "revocation r1 is finished: 250 sessions looked at, 250 revoked by it; the only edge confirmed\n",
      err: "revocation r1 is running: 200 sessions looked at, 200 revoked by it\n",
      slept: [100, 1000, 1000],
      written: {},
    });
  });

  it("session revoke --user waits, once finished, until every edge has confirmed", async () => {
    const now = (state: string, confirmed: number, ...pending: string[]): object => ({
      revocation: { id: "r1", state, examined: 1, revoked: 1, edges: 2, confirmed, pending },
    });
    const { url } = await answering(
      answer(202, now("running", 0, "gw-a", "gw-b")),
      answer(200, now("finished", 0, "gw-a", "gw-b")),
      answer(200, now("finished", 1, "gw-b")),
      answer(200, now("finished", 2)),
    );
    const ran = await sluice("session revoke --user u1", { url });
    expect(ran).toMatchObject({ code: 0, err: "", slept: [100, 100, 1000] });
    expect(ran.out).toMatch(/1 revoked by it; all 2 edges confirmed\n$/);
  });

  it("session revoke --user names edges that have not confirmed, with exit code 6", async () => {
    const { plane } = await planeWithEdges("gw-a", "gw-b");
    plane.confirming.says("gw-a", 1);
    const world = { url: plane.url, onSleep: () => nextTurn() };
    const ran = await sluice("session revoke --user u1 --wait 2s", world);
    expect(ran.code).toBe(6);
    expect(ran.out).toMatch(/1 revoked by it; 1 of 2 edges confirmed within 2 s, not: gw-b\n$/);
    expect(ran.err).toContain("UNCONFIRMED");
    const json = await sluice("session revoke --user u1 --wait 0 --json", world);
    expect(json.code).toBe(6);
    const revocation: unknown = expect.objectContaining({ edges: 2, confirmed: 1, pending: ["gw-b"] });
    expect(jsonLines(json)).toEqual([{ revocation }]);
  });

  it("session revoke --user does not wait with --no-wait", async () => {
    const { plane } = await planeWithEdges("gw-a");
    const ran = await sluice("session revoke --user u1 --no-wait --json", plane);
    expect(ran).toMatchObject({ code: 0, slept: [] });
    expect(jsonLines(ran)).toEqual([{ revocation: expect.objectContaining({ userId: "u1" }) as unknown }]);
  });
});

it.each(["", "--user u1 --org o1", `${UNKNOWN} --user u1`])(
  "session revoke '%s' is exit code 2: there is one way only to name sessions",
  async (what) => {
    expect(await sluice(`session revoke ${what}`)).toMatchObject({ code: 2, out: "" });
  },
);

it.each(["soon", "2m", "21s", "1.5s"])(
  "session revoke --wait %s is exit code 2, with what was expected",
  async (wait) => {
    const ran = await sluice(`session revoke ${UNKNOWN} --wait ${wait}`);
    expect(ran).toMatchObject({ code: 2, out: "" });
    expect(ran.err).toContain(
      "--wait: expected a duration such as 500ms or 2s, or a whole number of milliseconds, up to 20s",
    );
  },
);

it("session revoke with --wait and --no-wait is exit code 2", async () => {
  expect(await sluice(`session revoke ${UNKNOWN} --wait 2s --no-wait`)).toMatchObject({ code: 2, out: "" });
});
