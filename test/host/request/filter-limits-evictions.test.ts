// Sessions with further limits that make room for each other in one set, under any order of the workers' host calls: records
// come, are spent from, reported, asked about again, revoked and evicted, and each time they go with their annexes.
import { beforeAll, describe, expect, it } from "vitest";
import { ANSWER_VALID_MS, RECORDS_PER_SET, SET_BYTES } from "../../../assembly/contract.js";
import { suspendableFilterModule } from "../harness/builds/filter-modules.js";
import type { Steps } from "../harness/host/guest.js";
import type { HostCall } from "../harness/host/host-calls.js";
import { Random } from "../harness/host/random.js";
import { interleave, type Lane } from "../harness/host/schedule.js";
import type { Stream } from "../harness/host/stream.js";
import { CURSOR, liveAnswer, LOG, plan, policy, reportAnswer, watchAnswer } from "../harness/scenes/documents.js";
import { Edge, requestWith } from "../harness/scenes/edge.js";
import { limit } from "../harness/scenes/limits.js";
import { sessionsOfOneSet } from "../harness/scenes/same-set-sessions.js";
import type { Session } from "../harness/scenes/tokens.js";

const WORKERS = 2;
const STEPS_A_WORKER = 160;
const SCHEDULES = 25;
const DAILY = 4;
/** More than a set holds with their annexes. */
const SESSIONS = RECORDS_PER_SET / 2 + 4;
const POLICY = policy({ plans: [plan({ maxTokens: 9, limits: [limit("daily", DAILY)] })] });

let module: WebAssembly.Module;
let sessions: readonly Session[];
beforeAll(() => {
  module = suspendableFilterModule();
  sessions = sessionsOfOneSet(new Edge(), SESSIONS);
}, 300_000);

type Row = readonly [
  id: string,
  rev: number,
  consumed: number,
  level: number,
  idleMs: number,
  tag: string,
  levels: number[],
];
interface Body {
  readonly session?: string;
  readonly usage?: readonly Row[];
}

/** Keeps what is reported, and answers by it. */
class Plane {
  readonly #rows = new Map<string, Row>();
  readonly #revoked: string[] = [];

  take({ usage = [] }: Body): void {
    for (const row of usage) if (row[1] > (this.#rows.get(row[0])?.[1] ?? 0)) this.#rows.set(row[0], row);
  }

  revoke(id: string): string {
    this.#revoked.push(id);
    return watchAnswer({ revoked: [id], cursor: this.#cursor });
  }

  refresh(id: string): string {
    return watchAnswer({ refresh: [id], cursor: this.#cursor });
  }

  answer(body: Body): string {
    this.take(body);
    const row = this.#rows.get(body.session ?? "");
    if (this.#revoked.includes(body.session ?? ""))
      return JSON.stringify({ state: "revoked", endsInMs: 3_600_000, log: LOG, cursor: this.#cursor });
    if (row === undefined) return liveAnswer({ tokens: 9, cursor: this.#cursor });
    const [, rev, consumed, level, , , [daily = 0]] = row;
    return liveAnswer({ tokens: level / 1e6, rev, consumed, levels: { daily: daily / 1e6 }, cursor: this.#cursor });
  }

  get #cursor(): number {
    return CURSOR + 1 + this.#revoked.length;
  }
}

interface Outcome {
  readonly edge: Edge;
  readonly sent: ReadonlyMap<Session, readonly Stream[]>;
}

function runSchedule(seed: number): Outcome {
  const edge = new Edge({ workers: WORKERS, module, seed, policy: POLICY });
  const random = new Random(seed);
  const plane = new Plane();
  const sent = new Map<Session, Stream[]>(sessions.map((session) => [session, []]));
  function* send(worker: number): Steps<void> {
    const [session, streams] = random.pick([...sent]);
    streams.push(yield* edge.worker(worker).requestSteps(requestWith(session)));
  }
  function* answerOne(worker: number): Steps<void> {
    const [ask] = edge.pendingAcquires.filter(({ vm }) => vm === edge.worker(worker));
    if (ask !== undefined) yield* ask.answerSteps(200, plane.answer(ask.json as Body));
  }
  function* takeReport(worker: number): Steps<void> {
    edge.clock.advanceMs(ANSWER_VALID_MS / 2);
    yield* edge.worker(worker).tickSteps();
    const [report] = edge.pendingReports.filter(({ vm }) => vm === edge.worker(worker));
    if (report === undefined) return;
    plane.take(report.json as Body);
    yield* report.answerSteps(200, reportAnswer([], LOG));
  }
  function* invalidate(worker: number): Steps<void> {
    const watch = edge.watches.find(({ state, vm }) => state === "pending" && vm === edge.worker(worker));
    const { id } = random.pick([...sent.keys()]);
    if (watch !== undefined) yield* watch.answerSteps(200, random.chance(0.2) ? plane.revoke(id) : plane.refresh(id));
  }
  const work = (worker: number): Steps<void> => {
    if (random.chance(0.15)) return takeReport(worker);
    if (random.chance(0.05)) return invalidate(worker);
    return random.chance(0.5) ? send(worker) : answerOne(worker);
  };
  const lanes = edge.workers.map((_, worker): Lane => Array.from({ length: STEPS_A_WORKER }, () => () => work(worker)));
  const isSetWrite = ({ name, args }: HostCall): boolean =>
    name === "proxy_set_shared_data" && Number(args[3]) === SET_BYTES;
  edge.host.hooks.each("after", isSetWrite, () => {
    const records = edge.table.records();
    const ended = records.filter(({ live, annex }) => !live && annex !== undefined);
    expect(ended, `seed ${seed}: records that have ended, with their annexes`).toEqual([]);
    expect(edge.table.annexes(), `seed ${seed}: annexes`).toBe(records.filter(({ live }) => live).length);
  });
  interleave(lanes, random);
  return { edge, sent };
}

describe("sessions with several limits that make room for each other, under any order of host calls", () => {
  it("each keeps what it has left of its limits, and a record goes with its annex", () => {
    let evictions = 0;
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      const { edge, sent } = runSchedule(seed);
      for (const [session, streams] of sent) {
        const admitted = streams.filter((stream) => stream.reachedUpstream).length;
        expect(admitted, `seed ${seed}, ${session.id}`).toBeLessThanOrEqual(DAILY);
      }
      for (const worker of edge.workers) expect(worker.failure, `seed ${seed}`).toBeUndefined();
      edge.flush();
      evictions += edge.host.metrics.sum("sluice_table_evictions_total");
    }
    expect(evictions, "records that went for others").toBeGreaterThan(SCHEDULES);
  });
});
