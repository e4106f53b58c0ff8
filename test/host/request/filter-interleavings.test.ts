// Every order of host calls can come: workers run a host call at a time under a seeded schedule, the control plane
// answers and time passes in between. Whatever the order, no bucket admits more than it may.
import { beforeAll, describe, expect, it } from "vitest";
import { liveAnswer, plan, policy } from "../harness/scenes/documents.js";
import { Edge, requestWith } from "../harness/scenes/edge.js";
import { suspendableFilterModule } from "../harness/builds/filter-modules.js";
import type { Steps } from "../harness/host/guest.js";
import { Random } from "../harness/host/random.js";
import { interleave, type Lane } from "../harness/host/schedule.js";
import type { Stream } from "../harness/host/stream.js";
import type { Session } from "../harness/scenes/tokens.js";

const WORKERS = 3;
const REQUESTS_A_WORKER = 25;
const SCHEDULES = 80;
const MAX_TOKENS = 10;

let module: WebAssembly.Module;
beforeAll(() => {
  module = suspendableFilterModule();
});

interface World {
  readonly tokenRefillRate: number;
  readonly onUnreachable: "trust" | "deny";
  /** How often a call to the control plane fails. */
  readonly failures: number;
}

interface Outcome {
  readonly edge: Edge;
  readonly streams: Map<Session, Stream[]>;
  readonly elapsedUs: number;
  readonly schedule: number[];
}

/** Runs one schedule: requests of two sessions on all workers, answers whenever the seed says so, time in between. */
function runSchedule(seed: number, world: World): Outcome {
  const plans = [plan({ maxTokens: MAX_TOKENS, tokenRefillRate: world.tokenRefillRate })];
  const edge = new Edge({
    workers: WORKERS,
    module,
    seed,
    policy: policy({ plans, onUnreachable: world.onUnreachable }),
  });
  const random = new Random(seed);
  const streams = new Map<Session, Stream[]>([edge.newSession(), edge.newSession()].map((session) => [session, []]));
  function* send(worker: number): Steps<void> {
    const [session, sent] = random.pick([...streams]);
    sent.push(yield* edge.worker(worker).requestSteps(requestWith(session)));
  }
  function* answerOne(worker: number): Steps<void> {
    const callout = edge.pendingAcquires.find((pending) => pending.vm === edge.worker(worker));
    if (callout === undefined) return;
    if (random.chance(world.failures)) yield* callout.answerSteps(503);
    else yield* callout.answerSteps(200, liveAnswer({ tokens: MAX_TOKENS }));
  }
  const work = (worker: number): Steps<void> => {
    if (random.chance(0.05)) return edge.worker(worker).tickSteps();
    return random.chance(0.5) ? send(worker) : answerOne(worker);
  };
  const lanes = edge.workers.map((_, worker): Lane =>
    Array.from({ length: REQUESTS_A_WORKER * 2 }, () => () => work(worker)),
  );
  let elapsedUs = 0;
  const schedule = interleave(lanes, random, () => {
    const micros = random.chance(0.1) ? random.below(2000) : 0;
    edge.clock.advanceMicros(micros);
    elapsedUs += micros;
  });
  while (edge.pendingAcquires.length > 0) edge.pendingAcquires[0]?.answer(200, liveAnswer());
  return { edge, streams, elapsedUs, schedule };
}

const worlds: [string, World][] = [
  ["that never refill", { tokenRefillRate: 0, onUnreachable: "deny", failures: 0 }],
  ["that refill", { tokenRefillRate: 50, onUnreachable: "deny", failures: 0 }],
  ["while calls fail and sessions are trusted", { tokenRefillRate: 50, onUnreachable: "trust", failures: 0.4 }],
];

describe.each(worlds)("buckets %s, under any order of the workers' host calls", (_what, world) => {
  it("buckets admit no more than they may, and have every admission on record", () => {
    let contended = 0;
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      const { edge, streams, elapsedUs } = runSchedule(seed, world);
      const most = Math.floor(MAX_TOKENS + (world.tokenRefillRate * elapsedUs) / 1e6);
      for (const [session, sent] of streams) {
        const admitted = sent.filter((stream) => stream.reachedUpstream).length;
        expect(admitted, `seed ${seed}`).toBeLessThanOrEqual(most);
        expect(admitted, `seed ${seed}`).toBeGreaterThanOrEqual(Math.min(sent.length, MAX_TOKENS));
        expect(edge.table.record(session.id)?.consumed ?? 0, `seed ${seed}`).toBe(admitted);
      }
      for (const worker of edge.workers) expect(worker.failure, `seed ${seed}`).toBeUndefined();
      edge.flush();
      contended += edge.host.metrics.sum("sluice_cas_retries_total");
    }
    expect(contended, "schedules that made workers collide").toBeGreaterThan(SCHEDULES);
  });
});

describe("a schedule", () => {
  it("a schedule comes out the same from the same seed", () => {
    const [first, again] = [1, 2].map(() =>
      runSchedule(5, { tokenRefillRate: 50, onUnreachable: "deny", failures: 0 }),
    );
    expect(first?.schedule.length).toBeGreaterThan(WORKERS * REQUESTS_A_WORKER);
    expect(again?.schedule).toEqual(first?.schedule);
    expect(again?.edge.table.records()).toEqual(first?.edge.table.records());
  });
});
