// What reports add to counters: however they come, in one process no count is added twice and none that is acknowledged is lost.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { CountedByWorker } from "../../../src/domain/figures/counted-by-worker.js";
import type { SaidOfCounter } from "../../../src/domain/figures/counted-by-worker.js";

const HOUR_MS = 3_600_000;
const COUNTERS = ["restores", "table_full", "cas_retries"];

interface Sent {
  readonly worker: string;
  readonly said: readonly SaidOfCounter[];
}

/** One VM, as the filter does it (assembly/filter/edge/report-counters.ts). */
class Worker {
  readonly now = new Map(COUNTERS.map((name) => [name, 0]));
  private readonly answered = new Map(this.now);

  constructor(readonly id: string) {}

  /** Those of what changed that have room. */
  report(room: readonly string[]): Sent {
    const said = COUNTERS.filter((name) => room.includes(name)).map((name) => this.saidOf(name));
    return { worker: this.id, said: said.filter(({ acknowledged, now }) => now !== acknowledged) };
  }

  acknowledge({ said }: Sent): void {
    for (const { name, now } of said) this.answered.set(name, now);
  }

  private saidOf(name: string): SaidOfCounter {
    return { name, acknowledged: this.answered.get(name) ?? 0, now: this.now.get(name) ?? 0 };
  }
}

/** A control plane with one worker after the other, beside what the workers truly counted. */
class Scene {
  worker = new Worker("vm-0");
  process = new CountedByWorker(HOUR_MS);
  /** Counted by the processes that have ended, and by this one. */
  ended = 0;
  counted = 0;
  /** By worker and counter, the highest that any report which arrived has said. */
  private readonly arrived = new Map<string, number>();
  private readonly late: Sent[] = [];
  private vms = 1;

  count(name: string, amount: number): void {
    this.worker.now.set(name, (this.worker.now.get(name) ?? 0) + amount);
  }

  /** Lost: it never arrives. Late: it arrives after the worker has given it up. Unanswered: its answer is lost. */
  report(room: readonly string[], fate: "answered" | "unanswered" | "lost" | "late"): void {
    const sent = this.worker.report(room);
    if (fate === "late") this.late.push(sent);
    if (fate === "lost" || fate === "late") return;
    this.arrive(sent);
    if (fate === "answered") this.worker.acknowledge(sent);
  }

  arriveLate(): void {
    const sent = this.late.pop();
    if (sent !== undefined) this.arrive(sent);
  }

  restart(): void {
    this.ended += this.counted;
    this.counted = 0;
    this.process = new CountedByWorker(HOUR_MS);
    // What is under way to a process that ended arrives nowhere.
    this.late.length = 0;
  }

  reload(): void {
    this.worker = new Worker(`vm-${this.vms++}`);
  }

  get truth(): number {
    return [...this.arrived.values()].reduce((sum, one) => sum + one, 0);
  }

  private arrive({ worker, said }: Sent): void {
    for (const { name, now } of said) {
      const key = `${worker} ${name}`;
      this.arrived.set(key, Math.max(now, this.arrived.get(key) ?? 0));
    }
    for (const amount of this.process.growth(worker, said, 0)) this.counted += amount;
  }
}

const name = fc.constantFrom(...COUNTERS);
const room = fc.subarray(COUNTERS, { minLength: 1 });
type Fate = Parameters<Scene["report"]>[1];
type Step = (scene: Scene) => void;

const counts = fc.tuple(name, fc.nat(9)).map(([which, amount]): Step => (scene) => {
  scene.count(which, amount);
});
const reports = (...fates: Fate[]) =>
  fc.tuple(room, fc.constantFrom(...fates)).map(([of, fate]): Step => (scene) => {
    scene.report(of, fate);
  });
const arrivesLate: Step = (scene) => {
  scene.arriveLate();
};
const reloads: Step = (scene) => {
  scene.reload();
};
const restarts: Step = (scene) => {
  scene.restart();
};

function played(steps: readonly Step[]): Scene {
  const scene = new Scene();
  for (const step of steps) step(scene);
  return scene;
}

describe("counters that reports add to", () => {
  it("the sum is exact however reports are lost, repeated or late, and VMs reloaded", () => {
    const any = reports("answered", "unanswered", "lost", "late");
    const steps = fc.oneof(counts, any, fc.constant(arrivesLate), fc.constant(reloads));
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 60 }), (life) => {
        const { counted, truth } = played(life);
        expect(counted).toBe(truth);
      }),
    );
  });

  it("the sums of processes one after the other are exact where no answer is lost", () => {
    const steps = fc.oneof(counts, reports("answered", "lost"), fc.constant(restarts), fc.constant(reloads));
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 60 }), (life) => {
        const { ended, counted, truth } = played(life);
        expect(ended + counted).toBe(truth);
      }),
    );
  });

  it("no process by itself is ever above the truth, and all together never below it", () => {
    const any = reports("answered", "unanswered", "lost", "late");
    const steps = fc.oneof(counts, any, fc.constant(arrivesLate), fc.constant(restarts), fc.constant(reloads));
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 60 }), (life) => {
        const { ended, counted, truth } = played(life);
        expect(counted).toBeLessThanOrEqual(truth);
        expect(ended + counted).toBeGreaterThanOrEqual(truth);
      }),
    );
  });

  it("a process that begins counts only what no answer has acknowledged", () => {
    const fresh = new CountedByWorker(HOUR_MS);
    expect(fresh.growth("vm", [{ name: "restores", acknowledged: 90, now: 95 }], 0)).toEqual([5]);
  });
});

describe("what is remembered of workers", () => {
  const said = (now: number): SaidOfCounter[] => [{ name: "restores", acknowledged: 0, now }];

  it("a worker that reports nothing for an hour is forgotten", () => {
    const process = new CountedByWorker(HOUR_MS);
    process.growth("gone", said(1), 0);
    process.growth("there", said(1), HOUR_MS - 1);
    expect(process.workersKnown).toBe(2);
    process.growth("there", said(2), HOUR_MS);
    expect(process.workersKnown).toBe(1);
    expect(process.growth("there", said(2), HOUR_MS)).toEqual([0]);
  });

  it("past the bound those that reported longest ago are forgotten first", () => {
    const process = new CountedByWorker(HOUR_MS, 100);
    for (let worker = 0; worker < 1000; worker++) process.growth(`vm-${worker}`, said(7), worker);
    expect(process.workersKnown).toBe(9);
    expect(process.growth("vm-999", said(7), 1000)).toEqual([0]);
    expect(process.growth("vm-0", said(7), 1000)).toEqual([7]);
    // One that goes on reporting is not among them, however long ago it began.
    process.growth("vm-992", said(7), 1001);
    for (let worker = 0; worker < 8; worker++) process.growth(`new-${worker}`, said(7), 1002);
    expect(process.growth("vm-992", said(7), 1003)).toEqual([0]);
  });

  it("a report without counters makes no worker known", () => {
    const process = new CountedByWorker(HOUR_MS);
    process.growth("vm", [], 0);
    expect(process.workersKnown).toBe(0);
  });
});
