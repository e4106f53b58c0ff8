// Every order of host calls can come, also with several limits a session: workers run a host call at a time under a seeded
// schedule, calls fail, policies with other limits come into force on one worker after the other. Whatever the order, no
// limit admits more than it may, and the table's records and annexes stay pairs.
import { beforeAll, describe, expect, it } from "vitest";
import { suspendableFilterModule } from "../harness/builds/filter-modules.js";
import type { Steps } from "../harness/host/guest.js";
import { Random } from "../harness/host/random.js";
import { interleave, type Lane } from "../harness/host/schedule.js";
import type { Stream } from "../harness/host/stream.js";
import { liveAnswer, plan, policy, settings, type PolicyDocument } from "../harness/scenes/documents.js";
import { Edge, requestWith } from "../harness/scenes/edge.js";
import { limit } from "../harness/scenes/limits.js";
import type { Session } from "../harness/scenes/tokens.js";

const WORKERS = 3;
const STEPS_A_WORKER = 60;
const SCHEDULES = 60;
const CAPACITIES = { default: 20, a: 9, b: 6, c: 4 };
const PATHS = ["/", "/b", "/c"] as const;
const ROUTES = [
  { match: { path: "/b" }, cost: 2, limits: { b: 1 } },
  { match: { path: "/c" }, limits: { c: 1, a: 2 } },
];

let module: WebAssembly.Module;
beforeAll(() => {
  module = suspendableFilterModule();
}, 300_000);

interface World {
  readonly refill: number;
  readonly onUnreachable: "trust" | "deny";
  readonly failures: number;
  /** Whether workers change between limits a, b, c and others. */
  readonly changes: boolean;
}

function documentOf(world: World, names: readonly ("a" | "b" | "c")[]): PolicyDocument {
  const rate = { tokenRefillRate: world.refill };
  const limits = names.map((name) =>
    limit(name, CAPACITIES[name], { ...rate, applies: name === "a" ? "always" : "routes" }),
  );
  const routes = ROUTES.map((route) => ({
    ...route,
    limits: Object.fromEntries(Object.entries(route.limits).filter(([name]) => names.includes(name as "a"))),
  }));
  const plans = [plan({ maxTokens: CAPACITIES.default, ...rate, limits })];
  return policy({ plans, routes, onUnreachable: world.onUnreachable });
}

interface Sent {
  readonly path: (typeof PATHS)[number];
  readonly stream: Stream;
}

interface Outcome {
  readonly edge: Edge;
  readonly sent: Map<Session, Sent[]>;
  readonly elapsedUs: number;
}

/** Answers every acquire as a control plane does that has taken the rows of the calls before. */
class Plane {
  readonly #levels = new Map<string, Map<string, number>>();

  answerFor(body: Body): string {
    this.#take(body);
    const levels = Object.fromEntries(this.#levels.get(body.session) ?? []);
    const answer = JSON.parse(liveAnswer({ tokens: CAPACITIES.default })) as Record<string, unknown>;
    return JSON.stringify({ ...answer, levels });
  }

  #take({ usage = [], limits = {} }: Body): void {
    for (const [id, , , , , tag, held] of usage) {
      if (tag === undefined || held === undefined) continue;
      const known = this.#levels.get(id) ?? new Map<string, number>();
      limits[tag]?.forEach((name, at) => known.set(name, held[at] ?? 0));
      this.#levels.set(id, known);
    }
  }
}

interface Body {
  readonly session: string;
  readonly usage?: readonly [string, number, number, number, number, string?, number[]?][];
  readonly limits?: Readonly<Record<string, readonly string[]>>;
}

function runSchedule(seed: number, world: World): Outcome {
  const edge = new Edge({ workers: WORKERS, module, seed, policy: documentOf(world, ["a", "b", "c"]) });
  const random = new Random(seed);
  const plane = new Plane();
  const sent = new Map<Session, Sent[]>([edge.newSession(), edge.newSession()].map((session) => [session, []]));
  function* send(worker: number): Steps<void> {
    const [session, list] = random.pick([...sent]);
    const path = random.pick([...PATHS]);
    list.push({ path, stream: yield* edge.worker(worker).requestSteps(requestWith(session, path)) });
  }
  function* answerOne(worker: number): Steps<void> {
    const callout = edge.pendingAcquires.find((pending) => pending.vm === edge.worker(worker));
    if (callout === undefined) return;
    if (random.chance(world.failures)) yield* callout.answerSteps(503);
    else yield* callout.answerSteps(200, plane.answerFor(callout.json as Body));
  }
  const change = (worker: number): void => {
    const names = random.pick([
      ["a", "b", "c"],
      ["a", "c"],
      ["a", "b"],
    ] as const);
    edge.worker(worker).configure(settings(documentOf(world, names)));
  };
  const work = (worker: number): Steps<void> => {
    if (random.chance(0.05)) return edge.worker(worker).tickSteps();
    if (world.changes && random.chance(0.04)) change(worker);
    return random.chance(0.5) ? send(worker) : answerOne(worker);
  };
  const lanes = edge.workers.map((_, worker): Lane => Array.from({ length: STEPS_A_WORKER }, () => () => work(worker)));
  let elapsedUs = 0;
  interleave(lanes, random, () => {
    const micros = random.chance(0.1) ? random.below(2000) : 0;
    edge.clock.advanceMicros(micros);
    elapsedUs += micros;
  });
  while (edge.pendingAcquires.length > 0) {
    const pending = edge.pendingAcquires[0];
    pending?.answer(200, plane.answerFor(pending.json as Body));
  }
  return { edge, sent, elapsedUs };
}

/** What the requests of a session that went through took from each limit. */
function spentOf(sent: readonly Sent[]): Record<keyof typeof CAPACITIES, number> {
  const count = (path: string): number => sent.filter((one) => one.path === path && one.stream.reachedUpstream).length;
  const [plain, b, c] = [count("/"), count("/b"), count("/c")];
  return { default: plain + 2 * b + c, a: plain + 2 * b + 2 * c, b, c };
}

const still: World = { refill: 0, onUnreachable: "deny", failures: 0, changes: false };
const worlds: [string, World][] = [
  ["that never refill", still],
  ["that refill", { ...still, refill: 50 }],
  ["while calls fail and sessions are trusted", { ...still, refill: 50, onUnreachable: "trust", failures: 0.4 }],
];

describe.each(worlds)("several limits %s, under any order of the workers' host calls", (_what, world) => {
  it("each limit admits no more than it may, and the levels say exactly what was spent", () => {
    let contended = 0;
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      const { edge, sent, elapsedUs } = runSchedule(seed, world);
      for (const [session, list] of sent) {
        const spent = spentOf(list);
        for (const [name, capacity] of Object.entries(CAPACITIES)) {
          const most = capacity + (world.refill * elapsedUs) / 1e6;
          expect(spent[name as "a"], `seed ${seed}, ${name}`).toBeLessThanOrEqual(most);
        }
        const record = edge.table.record(session.id);
        expect(record?.consumed ?? 0, `seed ${seed}`).toBe(spent.default);
        if (world.refill !== 0 || record === undefined) continue;
        const left = [record.levelTokens, ...(record.annex?.levelsTokens.slice(0, 3) ?? [])];
        expect(left, `seed ${seed}`).toEqual([20 - spent.default, 9 - spent.a, 6 - spent.b, 4 - spent.c]);
      }
      expect(edge.table.annexes(), `seed ${seed}`).toBe(edge.table.records().length);
      for (const worker of edge.workers) expect(worker.failure, `seed ${seed}`).toBeUndefined();
      edge.flush();
      contended += edge.host.metrics.sum("sluice_cas_retries_total");
    }
    expect(contended, "schedules that made workers collide").toBeGreaterThan(SCHEDULES);
  });
});

describe("limits that change on one worker after the other, under any order of host calls", () => {
  it.each(["deny", "trust"] as const)("limits that stay admit no more than they may, under %s", (onUnreachable) => {
    let asked = 0;
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      const { edge, sent } = runSchedule(seed, { ...still, onUnreachable, changes: true });
      for (const [session, list] of sent) {
        const spent = spentOf(list);
        expect(spent.default, `seed ${seed}`).toBeLessThanOrEqual(CAPACITIES.default);
        expect(spent.a, `seed ${seed}`).toBeLessThanOrEqual(CAPACITIES.a);
        expect(edge.table.record(session.id)?.consumed ?? 0, `seed ${seed}`).toBe(spent.default);
      }
      expect(edge.table.annexes(), `seed ${seed}`).toBe(edge.table.records().length);
      for (const worker of edge.workers) expect(worker.failure, `seed ${seed}`).toBeUndefined();
      asked += edge.acquires.filter(({ json }) => (json as Body).usage !== undefined).length;
    }
    expect(asked, "asks that said what was spent").toBeGreaterThan(SCHEDULES);
  });
});
