// The command line: what is spent where, the edges, the audit log, and the busiest sessions.
import { describe, expect, it } from "vitest";

import { jsonLines, sluice } from "../support/cli.js";
import { created, INSTANCE, KEYS, startTestControlPlane } from "../support/control-plane.js";
import type { TestControlPlane } from "../support/control-plane.js";
import { answer, answering } from "../support/scripted-server.js";
import { LIMITED } from "../support/sessions.js";
import { watchFrom } from "../support/watch-from.js";
import { FILTER, request } from "../support/watching.js";

const UNKNOWN = "019b76da-a800-7000-8000-000000000000";

/** A session that one edge has acquired, and reported to have spent so many tokens. */
async function spent(plane: TestControlPlane, consumed: number, fields: object = {}): Promise<string> {
  const { session } = await created(plane, fields);
  await plane.acquire(session.id);
  await report(plane, session.id, 1, consumed);
  return session.id;
}

async function report(plane: TestControlPlane, id: string, rev: number, consumed: number): Promise<void> {
  const answer = await plane.report([[id, rev, consumed, 50_000_000, 0]]);
  expect(answer.status, answer.text).toBe(200);
}

describe("usage", () => {
  it("usage shows what was spent, by edge and instance", async () => {
    const plane = await startTestControlPlane();
    const id = await spent(plane, 12, { plan: "metered" });
    await plane.call("POST", `/v1/sessions/${id}/consume`, { count: 5 });
    const ran = await sluice(`usage ${id}`, plane);
    expect(ran.code, ran.err).toBe(0);
    expect(ran.out).toContain("17 tokens consumed, 5 of them through the API\n");
    expect(ran.out).toMatch(new RegExp(`^gw-1 +${INSTANCE} +12 +2026-01-01T00:00:00Z +2026-01-01T00:00:00Z$`, "m"));
    expect(jsonLines(await sluice(`usage ${id} --json`, plane))).toMatchObject([{ consumed: 17, direct: 5 }]);
  });

  it("usage of no session is exit code 1", async () => {
    expect(await sluice(`usage ${UNKNOWN}`, await startTestControlPlane())).toMatchObject({ code: 1, out: "" });
  });
});

describe("bucket", () => {
  it("bucket shows the level at each edge", async () => {
    const plane = await startTestControlPlane();
    const id = await spent(plane, 12);
    const ran = await sluice(`bucket ${id}`, plane);
    expect(ran.code, ran.err).toBe(0);
    expect(ran.out).toMatch(/^gw-1 +starter +50\.0 +100 +10 +2026-01-01T00:00:00Z$/m);
    expect(jsonLines(await sluice(`bucket ${id} --json`, plane))).toMatchObject([{ edge: "gw-1", tokens: 50 }]);
  });

  it("bucket shows each further limit's level below the plan's own, with the time of its report", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans(LIMITED);
    const { session } = await created(plane);
    const limits = { "0a1b2c3d": ["daily"] };
    await plane.report([[session.id, 1, 5, 50_000_000, 0, "0a1b2c3d", [9_000_500_000]]], { limits });
    const { out } = await sluice(`bucket ${session.id}`, plane);
    expect(out).toMatch(
      /^gw-1 +limited +50\.0 .*\ngw-1 +daily +9000\.5 +10000 +0\.1157 +2026-01-01T00:00:00Z\ngw-1 +search +20\.0 +20 +0\.5 +-$/m,
    );
    const [json] = jsonLines(await sluice(`bucket ${session.id} --json`, plane));
    expect(json).toMatchObject({
      limits: [
        { name: "daily", tokens: 9000.5 },
        { name: "search", lastRefill: null },
      ],
    });
  });

  it.each([
    [123_456, "123456"],
    [1_000_000, "1000000"],
    [1234.567891, "1234.568"],
    [10.5, "10.5"],
    [900 / 7, "128.571"],
    [10_000 / 86_400, "0.1157"],
    [0.000001, "0.000001"],
    [0, "0"],
  ])("bucket shows a rate of %d tokens a second with all its whole tokens: %s", async (refillRate, shown) => {
    const older = { edge: "gw-1", instance: INSTANCE, capacity: 100, tokens: 50, refillRate, lastRefill: 0 };
    const { out } = await sluice(`bucket ${UNKNOWN}`, await answering(answer(200, { buckets: [older] })));
    expect(out.split("\n")[1]?.split(/ +/)[4]).toBe(shown);
  });

  it("bucket shows the plan's bucket alone of a control plane that knows no further limits", async () => {
    const older = { edge: "gw-1", instance: INSTANCE, capacity: 100, tokens: 50, refillRate: 10, lastRefill: 0 };
    const ran = await sluice(`bucket ${UNKNOWN}`, await answering(answer(200, { buckets: [older] })));
    expect(ran.out).toMatch(/^gw-1 +- +50\.0 +100 +10 +1970-01-01T00:00:00Z$/m);
  });

  it("bucket says that it is full where no edge has reported", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    expect((await sluice(`bucket ${session.id}`, plane)).out).toContain("full everywhere");
    expect((await sluice(`bucket ${session.id} --json`, plane)).out).toBe("");
  });
});

describe("edges", () => {
  const watch = (plane: TestControlPlane, fields: object) => {
    const said = { edge: "gw-1", instance: INSTANCE, since: 0, filter: FILTER, ...fields };
    return plane.call("POST", "/edge/v1/watch", said, KEYS.edgeCredential);
  };

  it("edges counts the instances of an edge that are too many to be listed, too", async () => {
    const plane = await startTestControlPlane();
    for (let i = 0; i < 70; i++) plane.instances.acquired({ edge: "gw-1", instance: `${i}`.padStart(16, "0") });
    expect((await sluice("edges", plane)).out).toMatch(/^gw-1 .* 70 +-$/m);
    expect(jsonLines(await sluice("edges --json", plane))).toMatchObject([{ edge: "gw-1", instancesLeftOut: 6 }]);
  });

  it("edges shows what each makes of the policy and what its workers run", async () => {
    const plane = await startTestControlPlane();
    expect((await sluice("edges", plane)).out).toContain("No edge has called this control plane");
    const { log } = await plane.store.position();
    const hash = plane.policies.published("gw-1")?.hash;
    const held = watch(plane, { log, policy: { log, generation: 1, hash, state: "ok" } });
    await expect.poll(() => plane.watches.heldCount()).toBe(1);
    await plane.report([], { worker: "a".repeat(16), policy: { source: "control-plane", generation: 1, hash } });
    await plane.report([], { worker: "b".repeat(16), policy: { source: "settings", generation: 0, hash } });
    const ran = await sluice("edges", plane);
    expect(ran.code, ran.err).toBe(0);
    expect(ran.out).toMatch(
      /^EDGE +POLICY +PUBLISHED +RUNNING +SILENT WORKERS +WATCHING +LAG +INSTANCES +LAST REPORT$/m,
    );
    expect(ran.out).toMatch(/^gw-1 +current +1 +1 on 1, own on 1 +0 +yes +0 +1 +2026-01-01T00:00:00Z$/m);
    expect(jsonLines(await sluice("edges --json", plane))).toMatchObject([{ edge: "gw-1", state: "current" }]);
    await plane.watches.stop();
    await held;
  });

  it("edges shows the violations of an edge that rejected a policy, in harmless characters", async () => {
    const plane = await startTestControlPlane();
    const { log } = await plane.store.position();
    const violations = Array.from({ length: 7 }, (_, i) => ({ path: `plans[${i}].x`, message: "no such\nfield" }));
    const policy = { log, generation: 1, hash: "0".repeat(16), state: "rejected", violations };
    const held = watch(plane, { log, policy });
    await expect.poll(() => plane.watches.heldCount()).toBe(1);
    const { out } = await sluice("edges", plane);
    expect(out).toMatch(/^gw-1 +rejected +1 /m);
    expect(out).toContain("gw-1 rejected generation 1 and runs the policy before it:\n");
    expect(out).toContain("  plans[4].x: no such\\u{a}field\n  and 2 more: sluice edges --json has them\n");
    await plane.watches.stop();
    await held;
  });

  it("edges names two Envoys with one node.id, and a clock that is off, in 80 columns", async () => {
    const plane = await startTestControlPlane();
    const { log } = await plane.store.position();
    const hash = plane.policies.published("gw-1")?.hash;
    const policy = { log, generation: 1, hash, state: "ok" };
    const table = { name: "default", capacity: 1024, records: 0 };
    const hangUp = new AbortController();
    const held: Promise<unknown>[] = [];
    const watchesFrom = async (address: string, edge: string, instance: string, offMs: number): Promise<void> => {
      const wallMs = plane.clock.nowMs() + offMs;
      const said = { edge, instance: instance.repeat(16), log, since: 0, policy, filter: FILTER, table, wallMs };
      const ended = held.length - 3;
      held.push(watchFrom(plane.url, address, said, hangUp.signal));
      await (ended < 0 ? expect.poll(() => plane.watches.heldCount()).toBe(held.length) : held[ended]);
    };
    for (let watch = 0; watch < 2; watch++) {
      await watchesFrom("127.0.0.1", "gw-1", "a", 0);
      await watchesFrom("127.0.0.2", "gw-1", "b", 0);
      await watchesFrom("127.0.0.1", "gw-2", "c", -720_000);
      plane.clock.advance(15_000);
    }
    const { out } = await sluice("edges", plane);
    hangUp.abort();
    await Promise.all(held);
    expect(out).toMatch(/^EDGE +POLICY +WARNINGS +PUBLISHED /m);
    expect(out).toMatch(/^gw-1 +current +double +1 .*\ngw-2 +current +clock +1 /m);
    const [, ...told] = out.split("\n\n");
    expect(told).toEqual([
      "gw-1: two Envoys have this node.id. Give each one of its own.\n" +
        "  Both watch, of table default, since 2026-01-01T00:00:00Z\n" +
        "  from 127.0.0.1, 127.0.0.2",
      "gw-2: its clock is 12 minutes behind the control plane's\n" +
        "  (-720 s). See that its machine's time is synchronised.\n",
    ]);
    for (const line of told.flatMap((one) => one.split("\n"))) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("edges says when it is the control plane's own clock that is off, and names no edge", async () => {
    const plane = await startTestControlPlane();
    for (let watched = 0; watched < 2; watched++) {
      for (const edge of ["gw-1", "gw-2"]) {
        const said = request({ edge, wallMs: plane.clock.nowMs() + 3_600_000 });
        plane.instances.watched(said);
        plane.instances.watching(said)();
      }
      plane.clock.advance(15_000);
    }
    const { out } = await sluice("edges", plane);
    expect(out).not.toContain("WARNINGS");
    expect(out).toContain("The clocks of most edges agree, and are 60 minutes ahead of the\n");
    expect(jsonLines(await sluice("edges --json", plane))).toMatchObject([
      { edge: "gw-1", clockOff: false, clockOffsetMs: 3_600_000 },
      { edge: "gw-2" },
      { clockOfMostMs: 3_600_000 },
    ]);
  });

  it("edges lists who was denied as an edge, and says that the secret differs", async () => {
    const plane = await startTestControlPlane();
    const named = { "x-sluice-edge": "gw-9" };
    await plane.call("POST", "/edge/v1/watch", {}, "another-credential", named);
    await plane.call("POST", "/edge/v1/report", {}, "another-credential", named);
    const { out } = await sluice("edges", plane);
    expect(out).toContain("their secret differs");
    expect(out).toMatch(/^gw-9 +127\.0\.0\.1 +2 +2026-01-01T00:00:00Z$/m);
    expect(jsonLines(await sluice("edges --json", plane))).toMatchObject([
      { unauthenticated: { claimedEdge: "gw-9" } },
    ]);
  });
});

describe("audit", () => {
  it("audit shows who did what, the newest first", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    await sluice(`session change-plan ${session.id} --plan metered`, plane);
    await sluice(`session revoke ${session.id}`, plane);
    const ran = await sluice("audit", plane);
    expect(ran.code, ran.err).toBe(0);
    const [titles, ...rows] = ran.out.trimEnd().split("\n");
    expect(titles).toMatch(/^NUMBER +WHEN +WHO +WHAT +SESSION +DETAILS$/);
    expect(rows.map((row) => /(?:session|plan)-\w+/.exec(row)?.[0])).toEqual(["session-revoked", "plan-changed"]);
    expect(rows[0]).toMatch(new RegExp(`operator:[0-9a-f]{8} +session-revoked +${session.id}`));
    const one = jsonLines(await sluice("audit --json --limit 1", plane));
    expect(one).toMatchObject([{ action: "session-revoked", sessionId: session.id }]);
  });
});

describe("top", () => {
  it("top --once shows the sessions that spend most between two reads", async () => {
    const plane = await startTestControlPlane();
    const slow = await spent(plane, 90, { userId: "slow" });
    const fast = await spent(plane, 10, { userId: "fast" });
    const spending = async (): Promise<void> => {
      await report(plane, slow, 2, 95);
      await report(plane, fast, 2, 60);
    };
    const ran = await sluice("top --once", { url: plane.url, onSleep: spending });
    expect(ran).toMatchObject({ code: 0, slept: [6000] });
    const [titles, ...rows] = ran.out.trimEnd().split("\n");
    expect(titles).toMatch(/^TOKENS\/S +CONSUMED +PLAN +USER +ORG +ID$/);
    expect(rows[0]).toMatch(/^ +10\.0 +60 +starter +fast/);
    expect(rows[1]).toMatch(/^ +1\.0 +95 +starter +slow/);
    const json = await sluice("top --once --json --interval 2.5 --limit 1", plane);
    expect(json.slept).toEqual([2500]);
    expect(jsonLines(json)).toMatchObject([{ tokensPerSecond: 0, session: { id: slow } }]);
  });

  it("top --once waits until edges that report seldom have reported", async () => {
    const list = (consumed: number, lastActivity: number) => {
      const session = {
        id: "s",
        userId: "ada",
        orgId: "o",
        plan: "p",
        createdAt: 0,
        lastActivity,
        tokens: { consumed },
      };
      return answer(200, { sessions: [session], cursor: null, reportInterval: 20_000 });
    };
    const { url } = await answering(list(0, 1000), list(300, 21_000));
    const ran = await sluice("top --once --json", { url });
    expect(ran).toMatchObject({ code: 0, slept: [24_000] });
    expect(jsonLines(ran)).toMatchObject([{ tokensPerSecond: 15 }]);
  });

  it("top counts a session that began between the reads from 0", async () => {
    const plane = await startTestControlPlane();
    const onSleep = (): Promise<void> => {
      plane.clock.advance(1);
      return spent(plane, 20).then(() => undefined);
    };
    await created(plane, { userId: "older" });
    const ran = await sluice("top --once --json --limit 1", { url: plane.url, onSleep });
    expect(jsonLines(ran)).toMatchObject([{ tokensPerSecond: 4 }]);
  });

  it("top draws the screen each second until it is interrupted, never wider than the terminal", async () => {
    const plane = await startTestControlPlane();
    const id = await spent(plane, 0, { userId: "u".repeat(120) });
    const user = new AbortController();
    const onSleep = async (nth: number): Promise<void> => {
      if (nth === 3) user.abort();
      else await report(plane, id, 1 + nth, 10 * nth);
    };
    const terminal = { columns: 60, rows: 10 };
    const ran = await sluice("top", { url: plane.url, terminal, onSleep, interruption: user.signal });
    expect(ran).toMatchObject({ code: 0, slept: [1000, 1000, 1000] });
    const screens = ran.out.split("\x1b[H").slice(1);
    expect(screens).toHaveLength(3);
    expect(screens[2]).toMatch(/1 live sessions; rates over 30 s of reports/);
    // What a terminal does not show.
    const seen = (screens[2] ?? "")
      .replace(/\x1b\[[0-9]*[A-Za-z]/g, "")
      .trimEnd()
      .split("\n");
    expect(seen.at(-1)).toMatch(/^ +4\.0 +20 +starter +u+$/);
    for (const line of seen) expect(line.length).toBeLessThanOrEqual(60);
  });

  it("top needs a terminal for the live table", async () => {
    expect(await sluice("top")).toMatchObject({ code: 2, out: "" });
    expect(await sluice("top --json", { terminal: { columns: 80, rows: 24 } })).toMatchObject({ code: 2, out: "" });
  });
});
