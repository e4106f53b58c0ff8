// Nothing that a client, a control plane or an operator sends makes the filter trap. Seeded: a failure names its seed.
import { describe, expect, it } from "vitest";
import {
  REPORT_INTERVAL_MS,
  endedAnswer,
  liveAnswer,
  policy,
  reportAnswer,
  resetAnswer,
  watchAnswer,
  settings,
} from "../harness/scenes/documents.js";
import { Edge, type EdgeOptions } from "../harness/scenes/edge.js";
import { filterModule, type FilterBuild } from "../harness/builds/filter-modules.js";
import { KEYS_BESIDE_SETS, POLICY, anyOffer, anyToken } from "../harness/scenes/fuzz-inputs.js";
import { breakBytes, breakJson } from "../harness/scenes/mutations.js";
import { offer } from "../harness/scenes/policy-offer.js";
import { Random } from "../harness/host/random.js";

const STATUSES = [200, 401, 429, 503, undefined];
const BUILDS: FilterBuild[] = ["release", "debug"];
const modules = new Map(BUILDS.map((build) => [build, filterModule(build)]));

function start(build: FilterBuild, options: EdgeOptions = {}): Edge {
  const module = modules.get(build);
  return new Edge(module === undefined ? options : { ...options, module });
}

function expectSound(edge: Edge, input: string): void {
  for (const worker of edge.workers) expect(worker.failure, input).toBeUndefined();
}

function isJson(body: string | Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(body).toString());
    return true;
  } catch {
    return false;
  }
}

describe.each(BUILDS)("the %s build never traps", (build) => {
  it("any header value is read without a trap", () => {
    const edge = start(build);
    const random = new Random(21);
    const genuine = edge.sessionInTable().token;
    for (let i = 0; i < 5000; i++) {
      const token = anyToken(genuine, random);
      expect(STATUSES).toContain(edge.send(token).status);
      expectSound(edge, `header ${JSON.stringify(token)}`);
    }
    expect(edge.table.records()).toHaveLength(1);
  });

  it("any answer of the control plane is read without a trap, and no broken one admits", () => {
    const random = new Random(22);
    let edge = start(build);
    for (let i = 0; i < 3000; i++) {
      // An edge that believed a broken cursor finds all others out of date.
      if (i % 50 === 0) edge = start(build, { policy: policy({ onUnreachable: "deny" }) });
      const good = random.pick([liveAnswer(), endedAnswer("revoked"), endedAnswer("unknown")]);
      const bytes = breakBytes(Buffer.from(good), random);
      const body = random.chance(0.5) ? breakJson(JSON.parse(good), random) : bytes;
      const waiting = edge.send(edge.newSession());
      const status = random.pick([200, 200, 200, 200, 204, 404, 503]);
      edge.callout.answer(status, body);
      const input = `answer ${Buffer.from(body).subarray(0, 300).toString()}`;
      expectSound(edge, input);
      expect(STATUSES, input).toContain(waiting.status);
      if (status !== 200 || !isJson(body)) expect(waiting.reachedUpstream, input).toBe(false);
      while (edge.pendingAcquires.length > 0) edge.callout.timeOut();
      edge.clock.advanceMs(1);
    }
  });

  it("any answer to a report or a watch is read without a trap, and calls go on", () => {
    const random = new Random(25);
    for (let round = 0; round < 40; round++) {
      const edge = start(build);
      const session = edge.sessionInTable();
      for (let i = 0; i < 25; i++) {
        edge.clock.advanceMs(REPORT_INTERVAL_MS);
        edge.flush();
        for (const callout of edge.host.pendingCallouts) {
          const good = random.pick([reportAnswer([session.id]), watchAnswer({ revoked: [session.id] }), resetAnswer()]);
          const broken = breakBytes(Buffer.from(good), random);
          const body = random.chance(0.5) ? breakJson(JSON.parse(good), random) : broken;
          callout.answer(random.pick([200, 200, 503]), body);
          expectSound(edge, `answer ${Buffer.from(body).subarray(0, 300).toString()}`);
        }
        expect(edge.host.pendingCallouts.length).toBeLessThanOrEqual(2);
      }
      expect(edge.watches.length).toBeGreaterThan(10);
      expect(edge.reports.length).toBeGreaterThan(10);
    }
  });

  it("any policy on the watch is read without a trap, and one is always in force", () => {
    const random = new Random(26);
    let [taken, rejected] = [0, 0];
    for (let round = 0; round < 30; round++) {
      const edge = start(build, { policy: null, workers: 2 });
      edge.flush();
      offer(edge.watch, POLICY, { generation: 1 });
      for (let generation = 2; generation < 40; generation++) {
        edge.passMs(600);
        const watch = edge.watches.at(-1);
        if (watch?.state !== "pending") continue;
        const [body, headers] = anyOffer(generation, random);
        watch.answer(random.pick([200, 200, 200, 503]), body, headers);
        const input = `policy ${Buffer.from(body).subarray(0, 300).toString()} ${JSON.stringify(headers)}`;
        expectSound(edge, input);
        expect([200, 401], input).toContain(edge.send("invented").status);
      }
      expect(edge.host.sharedData.size).toBeLessThanOrEqual(KEYS_BESIDE_SETS);
      taken += edge.host
        .messages("info")
        .filter((line) => line.includes("serving the policy of the control-plane")).length;
      rejected += edge.host.messages("error").filter((line) => line.includes("rejected")).length;
    }
    expect(taken).toBeGreaterThan(100);
    expect(rejected).toBeGreaterThan(100);
  });

  it("any settings are read without a trap, and the old ones serve if they are rejected", () => {
    const edge = start(build, { policy: POLICY });
    const random = new Random(23);
    let rejected = 0;
    for (let i = 0; i < 3000; i++) {
      const text = random.chance(0.7)
        ? Buffer.from(breakJson(JSON.parse(settings(POLICY)), random))
        : breakBytes(Buffer.from(settings(POLICY)), random);
      const accepted = edge.worker(0).configure(text);
      const input = `policy ${Buffer.from(text).subarray(0, 300).toString()}`;
      expectSound(edge, input);
      rejected += accepted ? 0 : 1;
      if (!accepted) expect(edge.host.messages("error").pop(), input).toMatch(/rejected/);
      edge.host.logs.length = 0;
      expect(STATUSES).toContain(edge.send("invented").status);
    }
    expect(rejected).toBeGreaterThan(2000);
    expect(rejected).toBeLessThan(3000);
  });

  it("a policy of nothing but depth, length or noise is read without a trap", () => {
    const edge = start(build);
    const random = new Random(24);
    const megabyte = 1_048_576;
    const noise = Buffer.from(random.bytes(5000));
    const texts = ["[".repeat(megabyte), '{"a":'.repeat(100_000), " ".repeat(megabyte * 2), `"${"\\".repeat(9999)}`];
    for (const text of [...texts.map((each) => Buffer.from(each)), noise, Buffer.alloc(0)]) {
      expect(edge.worker(0).configure(text)).toBe(false);
      expectSound(edge, `policy ${text.subarray(0, 50).toString()}`);
    }
  });
});
