// Whatever clients, network, clocks, operators and the control plane do, in any order: the filter does not trap, its table
// stays bounded, and no request is left waiting. Seeded: a failure names its seed and step.
import { describe, expect, it } from "vitest";
import { RECORDS_PER_SET } from "../../../assembly/contract.js";
import {
  CURSOR,
  LOG,
  OTHER_LOG,
  endedAnswer,
  liveAnswer,
  policy,
  reportAnswer,
  resetAnswer,
  settings,
  watchAnswer,
} from "../harness/scenes/documents.js";
import { Edge, requestWith } from "../harness/scenes/edge.js";
import { filterModule } from "../harness/builds/filter-modules.js";
import { KEYS_BESIDE_SETS, POLICY, anyOffer, anyToken } from "../harness/scenes/fuzz-inputs.js";
import { Random } from "../harness/host/random.js";
import type { Stream } from "../harness/host/stream.js";
import type { Vm } from "../harness/host/vm.js";

const CAPACITY = 1024;
const module = filterModule("debug");

function expectSound(edge: Edge, input: string): void {
  for (const worker of edge.workers) expect(worker.failure, input).toBeUndefined();
}

describe("any schedule of events", () => {
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
    "a schedule of 3,000 steps from seed %i leaves no trap and a bounded table",
    (seed) => {
      const options = ["trust", "deny"].map((onUnreachable) => ({ ...POLICY, onUnreachable }));
      const own = seed % 3 === 0 ? null : (options[seed % 2] ?? POLICY);
      const edge = new Edge({ module, workers: 3, seed, policy: own });
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
