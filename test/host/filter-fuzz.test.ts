// Nothing that a client, a control plane or an operator sends makes the filter trap. Seeded: a failure names its seed.
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { RECORDS_PER_SET } from "../../assembly/contract.js";
import {
  CURSOR,
  Edge,
  LOG,
  OTHER_LOG,
  REPORT_INTERVAL_MS,
  endedAnswer,
  liveAnswer,
  plan,
  policy,
  reportAnswer,
  requestWith,
  resetAnswer,
  watchAnswer,
  settings,
  type EdgeOptions,
} from "./edge.js";
import { filterModule, type FilterBuild } from "./filter-modules.js";
import { breakBytes, breakJson } from "./mutations.js";
import { headersOf, offer } from "./policy-offer.js";
import { Random } from "./random.js";
import type { Stream } from "./stream.js";
import type { Vm } from "./vm.js";

const STATUSES = [200, 401, 429, 503, undefined];
const BUILDS: FilterBuild[] = ["release", "debug"];
const CAPACITY = 1024;
/** Capacity, instance, place, leader, policy, bell, violations, the last good policy. */
const KEYS_BESIDE_SETS = 8;
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

/** A request's header value: near a genuine token, or far from one. */
function anyToken(genuine: string, random: Random): string {
  const kind = random.below(4);
  if (kind === 0) return genuine;
  if (kind === 1) return Buffer.from(random.bytes(random.below(100))).toString("latin1");
  if (kind === 2) return "A".repeat(random.below(30_000));
  return Buffer.from(breakBytes(Buffer.from(genuine), random)).toString("latin1");
}

const POLICY = policy({
  header: "x-session-id",
  plans: [plan({ onMaxSessions: "refuse", scope: "edge" }), plan({ id: 9, name: "gold", tokenRefillRate: 0.5 })],
  routes: [],
  enforcement: "enforce",
  onMiss: "acquire",
  controlPlane: { acquireTimeout: 250, reportInterval: 5000 },
  sessions: { cleanupInterval: 60_000 },
  response: { headers: "draft", body: "json" },
});

/** A policy as an answer to a watch, mostly with something broken: its bytes, its headers, or what they say of it. */
function anyOffer(generation: number, random: Random): [Uint8Array | string, Record<string, string>] {
  const lifetime = 3_600_000 + random.below(1000);
  const document = { ...POLICY, plans: [plan({ lifetime }), plan({ id: 9, name: "gold", tokenRefillRate: 0.5 })] };
  const good = JSON.stringify(document);
  const broken = random.chance(0.5) ? breakJson(document, random) : breakBytes(Buffer.from(good), random);
  const body = random.chance(0.3) ? good : broken;
  const text = Buffer.from(body);
  const headers = headersOf("", {
    generation: random.chance(0.8) ? generation : random.pick([0, 1, -1, 0.5, 9e15, 1e21]),
    log: random.pick([LOG, LOG, LOG, OTHER_LOG, "", "0000000000000000", "x"]),
    hash: createHash("sha256").update(text).digest("hex").slice(0, 16),
    spreadMs: random.pick([0, 500, 9e15]),
  });
  const kept = Object.entries(headers).filter(() => random.chance(0.97));
  const spoilt = kept.map(([name, value]): [string, string] =>
    random.chance(0.03)
      ? [name, Buffer.from(breakBytes(Buffer.from(value), random)).toString("latin1")]
      : [name, value],
  );
  return [body, Object.fromEntries(spoilt)];
}

describe.each(BUILDS)("the %s build never traps", (build) => {
  it("on any header value", () => {
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

  it("on any answer of the control plane, and admits nobody by a broken one under deny", () => {
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

  it("on any answer to a report or a watch, and goes on calling", () => {
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

  it("on any policy that comes on the watch, and one is always in force", () => {
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
      taken += edge.host.messages("info").filter((line) => line.includes("serving the control-plane's policy")).length;
      rejected += edge.host.messages("error").filter((line) => line.includes("rejected")).length;
    }
    expect(taken).toBeGreaterThan(100);
    expect(rejected).toBeGreaterThan(100);
  });

  it("on any settings, and the old ones keep serving when it refuses", () => {
    const edge = start(build, { policy: POLICY });
    const random = new Random(23);
    let refused = 0;
    for (let i = 0; i < 3000; i++) {
      const text = random.chance(0.7)
        ? Buffer.from(breakJson(JSON.parse(settings(POLICY)), random))
        : breakBytes(Buffer.from(settings(POLICY)), random);
      const accepted = edge.worker(0).configure(text);
      const input = `policy ${Buffer.from(text).subarray(0, 300).toString()}`;
      expectSound(edge, input);
      refused += accepted ? 0 : 1;
      if (!accepted) expect(edge.host.messages("error").pop(), input).toMatch(/rejected/);
      edge.host.logs.length = 0;
      expect(STATUSES).toContain(edge.send("invented").status);
    }
    expect(refused).toBeGreaterThan(2000);
    expect(refused).toBeLessThan(3000);
  });

  it("on a policy that is nothing but depth, length or noise", () => {
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

describe("any course of events", () => {
  /** One step of what clients, network, clocks and operators do. */
  function step(edge: Edge, random: Random, streams: Stream[], tokens: string[]): void {
    const worker = edge.worker(random.below(edge.workers.length));
    const callout = edge.pendingAcquires.length > 0 ? random.pick(edge.pendingAcquires) : undefined;
    const ids = edge.table.records().map((record) => record.id);
    switch (random.below(14)) {
      case 0:
        tokens.push(edge.newSession(random.pick([0, 9, 77])).token);
        break;
      case 1:
        edge.clock.advanceMs(random.below(random.pick([10, 1000, 100_000])));
        break;
      case 2:
        edge.clock.jumpWallMs(random.below(2e9) - 1e9);
        break;
      case 3:
        worker.tick();
        break;
      case 4:
        callout?.answer(200, liveAnswer({ plan: random.pick([0, 9, 77]), tokens: random.below(20), rev: 5 }));
        break;
      case 5:
        callout?.answer(200, endedAnswer(random.pick(["revoked", "expired", "unknown"])));
        break;
      case 6:
        callout?.timeOut();
        break;
      case 7:
        if (random.chance(0.1)) changeSettings(edge, worker, random);
        break;
      case 8:
        edge.pendingReports[0]?.answer(200, reportAnswer(random.chance(0.2) ? ids : [], random.pick([LOG, OTHER_LOG])));
        break;
      case 9:
        answerWatch(edge, ids, random);
        break;
      case 10:
        streams.filter((stream) => stream.paused)[0]?.abandon();
        break;
      default:
        streams.push(worker.request(requestWith(anyToken(random.pick(tokens), random))));
    }
  }

  function changeSettings(edge: Edge, worker: Vm, random: Random): void {
    if (random.chance(0.2)) edge.reload(edge.workers.indexOf(worker));
    else if (random.chance(0.2)) worker.configure(settings(undefined));
    else worker.configure(settings(random.pick([POLICY, policy(), { version: 2 }]), { follow: random.chance(0.9) }));
  }

  function answerWatch(edge: Edge, ids: string[], random: Random): void {
    const cursor = CURSOR + random.below(5);
    const log = random.pick([LOG, LOG, OTHER_LOG]);
    const some = ids.filter(() => random.chance(0.1));
    const out = edge.watches.findLast((watch) => watch.state === "pending");
    if (random.chance(0.3)) {
      const [body, headers] = anyOffer(1 + edge.watches.length, random);
      out?.answer(200, body, headers);
      return;
    }
    const answer = random.chance(0.05) ? resetAnswer(cursor, log) : watchAnswer({ refresh: some, cursor, log });
    out?.answer(200, answer);
  }

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])(
    "of 3,000 steps from seed %i leaves no trap and a bounded table",
    (seed) => {
      const options = ["trust", "deny"].map((onUnreachable) => ({ ...POLICY, onUnreachable }));
      const own = seed % 3 === 0 ? null : (options[seed % 2] ?? POLICY);
      const edge = start("debug", { workers: 3, seed, policy: own });
      const random = new Random(seed);
      const streams: Stream[] = [];
      const tokens = [edge.newSession().token];
      for (let i = 0; i < 3000; i++) {
        step(edge, random, streams, tokens);
        expectSound(edge, `seed ${seed}, step ${i}`);
      }
      // What waits for a policy is let go on ticks, and asks then, or once more.
      for (let round = 0; round < 30; round++) {
        edge.passMs(100);
        while (edge.pendingAcquires.length > 0) edge.pendingAcquires[0]?.timeOut();
      }
      expectSound(edge, `seed ${seed}, at its end`);
      expect(streams.filter((stream) => stream.paused && edge.workers.includes(stream.vm)).length).toBe(0);
      expect(edge.host.sharedData.size).toBeLessThanOrEqual(CAPACITY / RECORDS_PER_SET + KEYS_BESIDE_SETS);
      expect(edge.table.setKeys().length).toBeLessThanOrEqual(CAPACITY / RECORDS_PER_SET);
      const ids = edge.table.records().map((record) => record.token.slice(3, 24));
      expect(new Set(ids).size).toBe(ids.length);
    },
  );
});
