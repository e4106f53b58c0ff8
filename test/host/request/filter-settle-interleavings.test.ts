// Every order of host calls can come, also where requests settle: workers run a host call at a time under a seeded schedule,
// and their streams end in any order. Whatever the order, what was reserved too much goes back once, and no limit is passed.
import { beforeAll, describe, expect, it } from "vitest";
import { suspendableFilterModule } from "../harness/builds/filter-modules.js";
import type { Steps } from "../harness/host/guest.js";
import { Random } from "../harness/host/random.js";
import { interleave, type Lane } from "../harness/host/schedule.js";
import type { Stream } from "../harness/host/stream.js";
import { plan, policy } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { leftOf, limit } from "../harness/scenes/limits.js";
import { headersOf } from "../harness/scenes/routed-requests.js";
import type { Session } from "../harness/scenes/tokens.js";

const WORKERS = 3;
const STEPS_A_WORKER = 80;
const SCHEDULES = 60;
const OWN = 120;
const LLM = 60;
/** What a request takes when it is let through: from the plan's own bucket, and from `llm`. */
const RESERVED = { "/": [1, 0], "/chat": [1, 10], "/own": [8, 0] } as const;
const DOCUMENT = policy({
  plans: [plan({ maxTokens: OWN, limits: [limit("llm", LLM, { applies: "routes" })] })],
  routes: [
    { match: { path: "/chat" }, limits: { llm: 10 }, settle: { limit: "llm", header: "x-cost" } },
    { match: { path: "/own" }, cost: 8, settle: { header: "x-cost", onMissing: "refund" } },
  ],
});

let module: WebAssembly.Module;
beforeAll(() => {
  module = suspendableFilterModule("settle");
}, 60_000);

interface Sent {
  readonly path: keyof typeof RESERVED;
  readonly worker: number;
  readonly stream: Stream;
  /** null: it ended without a word of its cost. Undefined: it goes on. */
  said?: number | null;
}

interface Outcome {
  readonly edge: Edge;
  readonly sent: Map<Session, Sent[]>;
}

function runSchedule(seed: number): Outcome {
  const edge = new Edge({ workers: WORKERS, module, seed, policy: DOCUMENT });
  const random = new Random(seed);
  const sent = new Map<Session, Sent[]>([1, 2].map(() => [edge.sessionInTable({ tokens: OWN - 1 }), []]));
  function* send(worker: number): Steps<void> {
    const [session, list] = random.pick([...sent]);
    const path = random.pick(["/", "/chat", "/own"] as const);
    const stream = yield* edge.worker(worker).openSteps(headersOf({ path, session }));
    if (stream.reachedUpstream) list.push({ path, worker, stream });
  }
  function* end(worker: number): Steps<void> {
    const open = [...sent.values()].flat().find((one) => one.worker === worker && one.said === undefined);
    if (open === undefined) return;
    open.said = random.chance(0.8) ? random.below(RESERVED[open.path][open.path === "/chat" ? 1 : 0] + 1) : null;
    if (open.said === null) yield* open.stream.abandonSteps();
    else yield* open.stream.respondSteps({ ":status": "200", "x-cost": String(open.said) });
  }
  const work = (worker: number): Steps<void> => {
    if (random.chance(0.05)) return edge.worker(worker).tickSteps();
    return random.chance(0.55) ? send(worker) : end(worker);
  };
  const lanes = edge.workers.map((_, worker): Lane => Array.from({ length: STEPS_A_WORKER }, () => () => work(worker)));
  interleave(lanes, random);
  return { edge, sent };
}

/** What a stream has cost, so far as it is known: from the plan's own bucket, and from `llm`. */
function costOf({ path, said }: Sent): readonly [own: number, llm: number] {
  const [own, llm] = RESERVED[path];
  if (path === "/chat") return [own, said ?? llm];
  return path === "/own" ? [said === null ? 0 : (said ?? own), 0] : [own, 0];
}

const sum = (all: readonly number[]): number => all.reduce((one, other) => one + other, 0);

describe("requests that settle, under any order of the workers' host calls", () => {
  it("each stream costs what its response says, once, and no limit is passed", () => {
    let contended = 0;
    let open = 0;
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      const { edge, sent } = runSchedule(seed);
      for (const [session, list] of sent) {
        const costs = list.map(costOf);
        const [own, llm] = [sum(costs.map(([each]) => each)), sum(costs.map(([, each]) => each))];
        expect(llm, `seed ${seed}`).toBeLessThanOrEqual(LLM);
        expect(leftOf(edge, session, 1), `seed ${seed}`).toEqual([OWN - 1 - own, LLM - llm]);
        // What its own bucket has lent to streams that go on is not consumed yet. One token put it into the table.
        const lent = list.filter(({ path, said }) => path === "/own" && said === undefined).length * 8;
        expect(edge.table.record(session.id)?.consumed, `seed ${seed}`).toBe(1 + own - lent);
        open += lent;
      }
      for (const worker of edge.workers) expect(worker.failure, `seed ${seed}`).toBeUndefined();
      edge.flush();
      contended += edge.host.metrics.sum("sluice_cas_retries_total");
    }
    expect(contended, "schedules that made workers collide").toBeGreaterThan(SCHEDULES);
    expect(open, "streams that still go on").toBeGreaterThan(0);
  });
});
