// Usage: what a session spends at two Envoys is known at the control plane, and outlives an Envoy.
import { appendFileSync, copyFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { projectRoot } from "../../../scripts/project-root.js";
import type { IssuedSession } from "../harness/control-plane-client.js";
import { inTurns } from "../harness/in-turns.js";
import type { HttpAnswer } from "../harness/http1.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { reported } from "../harness/settled.js";

const REPORT_INTERVAL_MS = 300;
const CAPACITY = 1024;
/** So many that those used longest ago are evicted in almost every set. */
const MANY_SESSIONS = 1400;
/** A record that was used so recently is not evicted; short, so that a new entry does not wait long. */
const ACQUIRE_TIMEOUT_MS = 2000;

const policyWith = (reportInterval: number) =>
  policyOf(
    [
      { name: "small", maxTokens: 20, tokenRefillRate: 0 },
      { name: "large", maxTokens: 9_000_000, tokenRefillRate: 0 },
      { name: "refilled", maxTokens: 50, tokenRefillRate: 2 },
    ],
    {
      onUnreachable: "deny",
      controlPlane: { reportInterval, acquireTimeout: ACQUIRE_TIMEOUT_MS },
    },
  );

const sluice = useInstallation({
  policy: policyWith(REPORT_INTERVAL_MS),
  edges: ["gw-1", "gw-2"],
  tableCapacity: CAPACITY,
  followedFilter: true,
});

const ofTimes = (count: number, status: number): number[] => Array<number>(count).fill(status);

describe("what a session spends", () => {
  it("what a session spends is known soon after, summed over both edges", async () => {
    const [one, two] = [sluice().edge(0), sluice().edge(1)];
    const { id, token } = await sluice().api.issue("small");
    expect(await one.statuses(token, 7)).toEqual(ofTimes(7, 200));
    expect(await two.statuses(token, 4)).toEqual(ofTimes(4, 200));
    const lastSentMs = Date.now();
    expect(await two.statuses(token, 1)).toEqual([200]);
    await reported(sluice(), id, 12);

    const { lastActivity } = await sluice().api.session(id);
    // A row tells its age in whole ms.
    expect(lastActivity).toBeGreaterThanOrEqual(lastSentMs - 1);
    const usage = await sluice().api.usage(id);
    expect(usage).toMatchObject({ consumed: 12, direct: 0 });
    expect(new Map(usage.edges.map(({ edge, consumed }) => [edge, consumed]))).toEqual(
      new Map([
        ["gw-1", 7],
        ["gw-2", 5],
      ]),
    );
  });

  it("a session shows what it has left at each edge", async () => {
    const { id, token } = await sluice().api.issue("small");
    expect(await sluice().edge(0).statuses(token, 6)).toEqual(ofTimes(6, 200));
    expect(await sluice().edge(1).statuses(token, 21)).toEqual([...ofTimes(20, 200), 429]);
    await reported(sluice(), id, 26);
    const { body } = await sluice().api.call("GET", `/v1/sessions/${id}/bucket`);
    const { buckets } = body as { buckets: { edge: string }[] };
    expect(buckets.toSorted((a, b) => a.edge.localeCompare(b.edge))).toMatchObject([
      { edge: "gw-1", capacity: 20, tokens: 14, refillRate: 0 },
      { edge: "gw-2", capacity: 20, tokens: 0, refillRate: 0 },
    ]);
  });

  it("usage reports go on after a change of the policy", async () => {
    const { id, token } = await sluice().api.issue("small");
    expect(await sluice().statuses(token, 3)).toEqual(ofTimes(3, 200));
    await reported(sluice(), id, 3);
    // From now on spends are not reported: the next report is a minute away.
    await sluice().changePolicy(policyWith(60_000));
    expect(await sluice().statuses(token, 4)).toEqual(ofTimes(4, 200));
    await sluice().changePolicy(policyWith(REPORT_INTERVAL_MS));
    await reported(sluice(), id, 7);
    expect(await sluice().statuses(token, 14)).toEqual([...ofTimes(13, 200), 429]);
    await reported(sluice(), id, 20);
  });

  it("usage that only old VMs saw is reported after a new version of the filter", async () => {
    const { id, token } = await sluice().api.issue("small");
    expect(await sluice().statuses(token, 1)).toEqual([200]);
    await reported(sluice(), id, 1);
    await sluice().changePolicy(policyWith(60_000));
    await sluice().controlPlane.killHard();
    expect(await sluice().statuses(token, 4)).toEqual(ofTimes(4, 200));

    const filter = join(sluice().folder, "sluice-next.wasm");
    copyFileSync(join(projectRoot, "build/sluice.wasm"), filter);
    appendFileSync(filter, CUSTOM_SECTION);
    const before = await vmsMade();
    sluice().replaceFilter(filter);
    await until(async () => {
      expect(await vmsMade()).toBeGreaterThan(before);
    });
    await sluice().controlPlane.start();
    await sluice().changePolicy(policyWith(REPORT_INTERVAL_MS));
    await reported(sluice(), id, 5);
    expect(await sluice().statuses(token, 16)).toEqual([...ofTimes(15, 200), 429]);
  });
});

/** New code is new VMs. */
const vmsMade = (): Promise<number> => sluice().envoyAdmin.stat("wasm.envoy.wasm.runtime.v8.created");

/** Of WebAssembly: id 0, 2 bytes long, with a name of one letter. It changes the file and nothing else. */
const CUSTOM_SECTION = Buffer.from([0, 2, 1, 0x78]);

describe("an Envoy that was killed", () => {
  it("a killed Envoy comes back with each bucket as it was last reported", async () => {
    const { id, token } = await sluice().api.issue("small");
    expect(await sluice().edge(0).statuses(token, 8)).toEqual(ofTimes(8, 200));
    await reported(sluice(), id, 8);
    await sluice().edge(0).restartHard();

    expect(await sluice().edge(0).statuses(token, 13)).toEqual([...ofTimes(12, 200), 429]);
    await reported(sluice(), id, 20);
    const { edges } = await sluice().api.usage(id);
    expect(edges.map(({ edge, instances }) => [edge, instances.length])).toEqual([["gw-1", 2]]);
    await until(async () => {
      expect(await sluice().envoyAdmin.sample("sluice_restores_total")).toBeGreaterThan(0);
    });
  });

  it("a killed Envoy refills buckets for the time that it was away, and no further", async () => {
    const { id, token } = await sluice().api.issue("refilled");
    const firstMs = performance.now();
    expect(await sluice().statuses(token, 50)).toEqual(ofTimes(50, 200));
    await until(async () => {
      expect((await sluice().api.session(id)).tokens.consumed).toBeGreaterThanOrEqual(50);
    });
    await sluice().edge(0).restartHard();
    const answer = await until(async () => {
      const tried = await sluice().send({ token });
      expect(tried.status).toBe(200);
      return tried;
    });
    const elapsedS = (performance.now() - firstMs) / 1000;
    const left = Number(/r=(\d+)/.exec(String(answer.headers.ratelimit))?.[1]);
    expect(left).toBeLessThanOrEqual(Math.min(49, 2 * elapsedS));
  });

  it("a killed Envoy loses no more than it had not reported yet", async () => {
    const { id, token } = await sluice().api.issue("large");
    expect(await sluice().statuses(token, 40)).toEqual(ofTimes(40, 200));
    await reported(sluice(), id, 40);
    expect(await sluice().statuses(token, 30)).toEqual(ofTimes(30, 200));
    await sluice().edge(0).restartHard();
    // Not earlier: its last report may have been on the way when it died.
    const { consumed } = (await sluice().api.session(id)).tokens;
    expect(consumed).toBeGreaterThanOrEqual(40);
    expect(consumed).toBeLessThanOrEqual(70);
    expect((await sluice().send({ token })).headers.ratelimit).toBe(`"large";r=${9_000_000 - consumed - 1}`);
    await reported(sluice(), id, consumed + 1);
  });
});

describe("a session whose record had to make room for others", () => {
  it("an evicted session comes back with its level and goes on being counted", async () => {
    const early = await issueMany(16, "small");
    await inTurns(early, async ({ id, token }) => {
      expect(await sluice().statuses(token, 5)).toEqual(ofTimes(5, 200));
      await reported(sluice(), id, 5);
    });
    const evictions = () => sluice().envoyAdmin.sample("sluice_table_evictions_total");
    const evictedBefore = await evictions();
    const others = await issueMany(MANY_SESSIONS, "large");
    await inTurns(others, ({ token }) => admitted(token));
    await until(async () => {
      expect(await evictions()).toBeGreaterThan(evictedBefore);
    });

    const restoresBefore = await sluice().envoyAdmin.sample("sluice_restores_total");
    await inTurns(early, async ({ id, token }) => {
      expect((await admitted(token)).headers.ratelimit).toBe('"small";r=14');
      expect(await sluice().statuses(token, 15)).toEqual([...ofTimes(14, 200), 429]);
      await reported(sluice(), id, 20);
    });
    await until(async () => {
      expect(await sluice().envoyAdmin.sample("sluice_restores_total")).toBeGreaterThan(restoresBefore);
    });
  });
});

/** The first answer that is a 200: until records may be evicted, a new entry to a full set is denied. */
function admitted(token: string): Promise<HttpAnswer> {
  return until(async () => {
    const answer = await sluice().send({ token });
    expect(answer.status).toBe(200);
    return answer;
  });
}

function issueMany(count: number, plan: string): Promise<IssuedSession[]> {
  const plans = Array<string>(count).fill(plan);
  return inTurns(plans, (name) => sluice().api.issue(name));
}
