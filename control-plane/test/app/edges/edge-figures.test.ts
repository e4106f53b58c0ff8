// What the control plane shows of the counters that edges report, over HTTP as filters report and Prometheus asks.
import { describe, expect, it } from "vitest";

import { KEYS, startTestControlPlane } from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import { FILTER } from "../../support/watching.js";
import { StoreUnwritable } from "../../../src/app/ports/store-health.js";

const WORKER = "7be94c1d20f3a865";
const ALLOWED = "requests.outcome=allowed.plan=gold";
const SHOWN = 'sluice_edge_requests_total{edge="gw-1",outcome="allowed",plan="gold"}';

type Counters = Readonly<Record<string, unknown>>;

const reportOf = (plane: TestControlPlane, counters: unknown, more: object = {}) =>
  plane.report([], { worker: WORKER, counters, ...more });

/** The value of a series, as the status listener shows it. */
async function shown(plane: TestControlPlane, series: string): Promise<number | undefined> {
  const { text } = await plane.status("/metrics");
  const line = text.split("\n").find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
}

describe("counters that an edge reports", () => {
  it("a counter is shown with the edge's name and its own labels", async () => {
    const plane = await startTestControlPlane();
    const said: Counters = {
      [ALLOWED]: [0, 5],
      "requests.outcome=missing": [0, 1],
      "requests.outcome=limited.plan=gold.limit=daily": [2, 3],
      "calls.call=report.outcome=ok": [0, 4],
      restores: [0, 2],
    };
    expect((await reportOf(plane, said)).status).toBe(200);
    expect(await shown(plane, SHOWN)).toBe(5);
    expect(await shown(plane, 'sluice_edge_requests_total{edge="gw-1",outcome="missing"}')).toBe(1);
    const limited = 'sluice_edge_requests_total{edge="gw-1",outcome="limited",plan="gold",limit="daily"}';
    expect(await shown(plane, limited)).toBe(1);
    expect(await shown(plane, 'sluice_edge_calls_total{edge="gw-1",call="report",outcome="ok"}')).toBe(4);
    expect(await shown(plane, 'sluice_edge_restores_total{edge="gw-1"}')).toBe(2);
  });

  it("a report that comes again after its answer was lost counts once", async () => {
    const plane = await startTestControlPlane();
    await reportOf(plane, { [ALLOWED]: [0, 5] });
    await reportOf(plane, { [ALLOWED]: [0, 8] });
    await reportOf(plane, { [ALLOWED]: [0, 5] });
    await reportOf(plane, { [ALLOWED]: [8, 9] });
    expect(await shown(plane, SHOWN)).toBe(9);
  });

  it("two workers of an edge are one sum, also where one of them took another's place", async () => {
    const plane = await startTestControlPlane();
    await reportOf(plane, { [ALLOWED]: [0, 5] });
    await reportOf(plane, { [ALLOWED]: [0, 7] }, { worker: "00000000000000aa" });
    expect(await shown(plane, SHOWN)).toBe(12);
  });

  it("a worker's counters count once whichever of its tables reports them", async () => {
    const plane = await startTestControlPlane();
    await reportOf(plane, { [ALLOWED]: [0, 5] });
    await reportOf(plane, { [ALLOWED]: [0, 6] }, { instance: "aabbccdd00112233" });
    expect(await shown(plane, SHOWN)).toBe(6);
  });

  it("a report that the store could not take counts for nothing until it comes again", async () => {
    const plane = await startTestControlPlane();
    const { commits } = plane.ports;
    const commit = commits.commit.bind(commits);
    commits.commit = () => Promise.reject(new StoreUnwritable("the disk is full"));
    expect((await reportOf(plane, { [ALLOWED]: [0, 5] })).status).toBe(503);
    expect(await shown(plane, SHOWN)).toBeUndefined();
    commits.commit = () => Promise.resolve(undefined);
    expect((await reportOf(plane, { [ALLOWED]: [0, 5] })).status).toBe(503);
    expect(await shown(plane, SHOWN)).toBeUndefined();
    commits.commit = commit;
    await reportOf(plane, { [ALLOWED]: [0, 6] });
    expect(await shown(plane, SHOWN)).toBe(6);
  });
});

describe("counters that are none", () => {
  const dropped = (reason: string): string => `sluice_edge_figures_dropped_total{reason="${reason}"}`;

  it("an older filter's report has no counters, and is answered", async () => {
    const plane = await startTestControlPlane();
    expect((await plane.report([], { worker: WORKER })).status).toBe(200);
    expect(await shown(plane, dropped("malformed"))).toBe(0);
  });

  it("counters that are no object fail no report", async () => {
    const plane = await startTestControlPlane();
    for (const counters of [null, 7, "counters", [[1, 2]], true]) {
      expect((await reportOf(plane, counters)).status).toBe(200);
    }
    expect(await shown(plane, dropped("malformed"))).toBe(5);
  });

  it("an entry that is no counter is dropped, and the others count", async () => {
    const plane = await startTestControlPlane();
    const malformed = { restores: [2, 1], table_full: 3, cas_retries: [0, 0.5], cas_exhausted: [-1, 1] };
    const unknown = { "requests.outcome=stolen": [0, 1], "requests.outcome=allowed.edge=gw-2": [0, 1] };
    const answer = await reportOf(plane, { ...malformed, ...unknown, [ALLOWED]: [0, 5] });
    expect(answer.status).toBe(200);
    expect(await shown(plane, SHOWN)).toBe(5);
    expect(await shown(plane, dropped("malformed"))).toBe(4);
    expect(await shown(plane, dropped("unknown"))).toBe(2);
    expect((await plane.status("/metrics")).text).not.toContain("stolen");
  });

  it("a report that does not name its worker has no counters that count", async () => {
    const plane = await startTestControlPlane();
    await reportOf(plane, { [ALLOWED]: [0, 5] }, { worker: "" });
    expect(await shown(plane, SHOWN)).toBeUndefined();
    expect(await shown(plane, dropped("malformed"))).toBe(1);
  });

  it("a newer filter's counter is in the log once, however often it comes", async () => {
    const plane = await startTestControlPlane();
    for (let report = 0; report < 3; report++) await reportOf(plane, { "dreams.outcome=good": [0, report + 1] });
    const lines = plane
      .logged()
      .split("\n")
      .filter((line) => line.includes("report-counter-dropped"));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      edge: "gw-1",
      counter: "dreams.outcome=good",
      reason: "unknown",
    });
    expect(await shown(plane, dropped("unknown"))).toBe(3);
  });

  it("names that somebody makes up fill no log", async () => {
    const plane = await startTestControlPlane();
    const madeUp = Object.fromEntries(Array.from({ length: 300 }, (_, name) => [`n${name}`, [0, 1]]));
    await reportOf(plane, madeUp);
    const lines = plane
      .logged()
      .split("\n")
      .filter((line) => line.includes("report-counter-dropped"));
    expect(lines).toHaveLength(100);
    expect(await shown(plane, dropped("unknown"))).toBe(300);
  });
});

describe("the tables of an edge", () => {
  it("the tables of all Envoys of an edge that watch are added up", async () => {
    const plane = await startTestControlPlane();
    const { log, cursor: since } = await plane.store.position();
    const { generation, hash } = plane.policies.published("gw-1") ?? {};
    const policy = { log, generation, hash, state: "ok" };
    const tables = [
      { name: "default", capacity: 1024, records: 12 },
      { name: "partners", capacity: 2048, records: 30 },
    ];
    const held = tables.map((table, index) => {
      const said = { edge: "gw-1", instance: `00112233aabbccd${index}`, log, since, follow: true, policy, table };
      return plane.call("POST", "/edge/v1/watch", { ...said, filter: FILTER }, KEYS.edgeCredential);
    });
    await expect.poll(() => plane.watches.heldCount()).toBe(2);
    expect(await shown(plane, 'sluice_edge_table_capacity{edge="gw-1"}')).toBe(3072);
    expect(await shown(plane, 'sluice_edge_table_records{edge="gw-1"}')).toBe(42);
    await plane.watches.stop();
    await Promise.all(held);
  });
});

describe("how long edges wait", () => {
  const counted = (call: string): string => `sluice_control_edge_call_duration_seconds_count{call="${call}"}`;

  it("each call of an edge is timed, and none with a wrong secret", async () => {
    const plane = await startTestControlPlane();
    await plane.report([]);
    await plane.report([]);
    await plane.acquire("01a20379-24fe-7f79-b981-a4b8a30df138");
    await plane.lease([]);
    const body = { edge: "gw-1", instance: "00112233aabbccdd", usage: [], more: false };
    expect((await plane.call("POST", "/edge/v1/report", body, `${KEYS.edgeCredential}x`)).status).toBe(401);
    expect(await shown(plane, counted("report"))).toBe(2);
    expect(await shown(plane, counted("acquire"))).toBe(1);
    expect(await shown(plane, counted("lease"))).toBe(1);
  });

  it("a call that is denied at once is not among those that edges wait for", async () => {
    const denied = { take: () => 1000 };
    const plane = await startTestControlPlane(undefined, { admission: denied });
    const post = (body: string, type = "application/json") =>
      plane.call("POST", "/edge/v1/report", body, KEYS.edgeCredential, { "content-type": type });
    const whole = JSON.stringify({ edge: "gw-1", instance: "00112233aabbccdd", usage: [], more: false });
    const answers = [
      await post("{"),
      await post(`"${"x".repeat(4_000_000)}"`),
      await post("x", "text/plain"),
      await post(whole),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 413, 415, 429]);
    expect(await shown(plane, counted("report"))).toBeUndefined();
  });

  it("a call that fails at the control plane is among those that edges wait for", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans();
    expect((await plane.acquire("01a20379-24fe-7f79-b981-a4b8a30df138")).status).toBe(503);
    expect(await shown(plane, counted("acquire"))).toBe(1);
  });
});
