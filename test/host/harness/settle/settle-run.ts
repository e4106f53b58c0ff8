// One run of requests that settle, by its seed: workers run a host call at a time, their streams end in any order and way,
// while answers, sweeps, evictions, ends and other policies come between.
import { REPORT_INTERVAL_MS, reportAnswer, watchAnswer } from "../scenes/documents.js";
import type { Edge } from "../scenes/edge.js";
import { edgeFollowing, headersOf as policyHeaders } from "../scenes/policy-offer.js";
import { reportIn } from "../scenes/reports.js";
import { batchAnswer } from "../scenes/batches.js";
import type { Callout } from "../host/callouts.js";
import { run, type Steps } from "../host/guest.js";
import { Random } from "../host/random.js";
import { interleave, type Lane } from "../host/schedule.js";
import type { Session } from "../scenes/tokens.js";
import { Ledger, WrongSettlement } from "./settle-ledger.js";
import { SettlePlane } from "./settle-plane.js";
import { PATHS, POLICIES } from "./settle-policies.js";
import { isOpen, isOver } from "./settle-requests.js";
import { SettleStreams } from "./settle-streams.js";
import { TICK_MS } from "../../../../assembly/contract.js";

const WORKERS = 3;
const STEPS_A_WORKER = 90;
/** Of a worker's notes, 64 are looked at with a tick. */
const TICKS_AT_END = 8;

/** A build of the filter, by what bounds it has. */
export interface SettleBuild {
  readonly module: WebAssembly.Module;
  readonly notes: number;
  readonly tries: number;
}

export class SettleRun {
  readonly edge: Edge;
  readonly ledger: Ledger;
  readonly #random: Random;
  readonly #plane: SettlePlane;
  readonly #streams: SettleStreams;
  readonly #changes: boolean;
  /** Whether policies come so often that a stream outlives several. */
  readonly #isRestless: boolean;
  #generation = 1;
  #hasReloaded = false;

  /** @param sessions of one set of the table, so that workers collide */
  constructor(
    readonly seed: number,
    build: SettleBuild,
    private readonly sessions: readonly Session[],
  ) {
    const [policy] = POLICIES;
    if (policy === undefined) throw new Error("there is no policy");
    this.edge = edgeFollowing(policy.document, 1, { workers: WORKERS, module: build.module, seed });
    this.#random = new Random(seed);
    // In every other run one policy stays, and what each settlement comes to is known to the token.
    this.#changes = seed % 2 === 0;
    this.#isRestless = seed % 8 === 4 || seed % 8 === 6;
    this.ledger = new Ledger(this.edge, sessions, policy, build);
    this.#plane = new SettlePlane(this.edge, POLICIES);
    for (const session of sessions) {
      this.#plane.issue(session, this.#random.pick([0, 0, 1, 2]), this.#random.pick([3000, 60_000, 60_000]));
    }
    this.#streams = new SettleStreams(this.edge, this.ledger, this.#random, seed % 8 === 4);
  }

  /** Undefined: all was as it is to be. */
  finding(): string | undefined {
    try {
      this.#work();
      this.#comeToRest();
      return undefined;
    } catch (error) {
      if (!(error instanceof WrongSettlement)) throw error;
      return error.message;
    }
  }

  #work(): void {
    const lanes = Array.from({ length: WORKERS }, (_, worker): Lane => {
      return Array.from({ length: STEPS_A_WORKER }, () => () => this.#step(worker));
    });
    interleave(lanes, this.#random, () => {
      if (this.#random.chance(0.1)) this.edge.clock.advanceMicros(this.#random.below(2000));
      if (this.#random.chance(0.002)) this.edge.clock.advanceMs(this.#random.below(900));
    });
  }

  #step(worker: number): Steps<void> {
    const random = this.#random;
    const vm = this.edge.worker(worker);
    if (vm.failure !== undefined) throw new WrongSettlement(`a worker trapped: ${vm.failure.message}`);
    if (random.chance(this.#isRestless ? 0.2 : 0.06)) return this.#tick(worker);
    if (random.chance(0.02)) this.#evict();
    if (random.chance(0.005)) this.#reload(worker);
    const asked = this.edge.pendingAcquires.find((pending) => pending.vm === this.edge.worker(worker));
    if (asked !== undefined && random.chance(0.4)) return this.#answer(worker, asked);
    const watch = this.edge.watches.findLast(({ state, vm: asker }) => state === "pending" && asker === vm);
    if (watch !== undefined && random.chance(this.#isRestless ? 0.4 : 0.06)) return this.#answerWatch(watch);
    return random.chance(0.5)
      ? this.#streams.send(worker, random.pick(this.sessions), random.pick(PATHS))
      : this.#streams.goOn(worker);
  }

  *#tick(worker: number): Steps<void> {
    const vm = this.edge.worker(worker);
    this.ledger.begin(vm, "tick");
    yield* vm.tickSteps();
    this.#streams.forgetThoseThatLeft(vm);
    this.ledger.end(vm);
  }

  *#answer(worker: number, asked: Callout): Steps<void> {
    const vm = this.edge.worker(worker);
    for (const session of this.sessions) this.#plane.take(session, this.ledger.record(session));
    this.ledger.begin(vm, "answer");
    yield* asked.answerSteps(
      200,
      batchAnswer(asked, (id) => this.#plane.answerOf(id)),
    );
    this.#streams.forgetThoseThatLeft(vm);
    this.ledger.end(vm);
  }

  /** A session is to be asked about, has been revoked, or another policy was published. */
  *#answerWatch(watch: Callout): Steps<void> {
    const { vm } = watch;
    const session = this.#random.pick(this.sessions);
    this.ledger.begin(vm, "answer");
    if (this.#changes && this.#random.chance(this.#isRestless ? 0.9 : 0.5)) {
      const next = this.#random.pick(POLICIES);
      if (!this.ledger.policies.includes(next)) this.ledger.policies.push(next);
      const bytes = JSON.stringify(next.document);
      yield* watch.answerSteps(200, bytes, policyHeaders(bytes, { generation: ++this.#generation }));
    } else {
      const cursor = ++this.#plane.cursor;
      const isRevoked = this.#random.chance(0.1);
      if (isRevoked) this.#plane.revoke(session);
      else if (this.#random.chance(0.7)) this.#plane.changePlan(session, this.#random.below(3));
      const ids = isRevoked ? { revoked: [session.id] } : { refresh: [session.id] };
      yield* watch.answerSteps(200, watchAnswer({ ...ids, cursor }));
    }
    this.ledger.end(vm);
  }

  /** A record makes room for others, as one does that was reported and is idle. */
  #evict(): void {
    const session = this.#random.pick(this.sessions);
    this.#plane.take(session, this.edge.table.record(session.id));
    this.edge.table.evict(session.id);
    this.ledger.lookAgain();
  }

  /** The filter traps on a worker: what its VM knew is gone. */
  #reload(worker: number): void {
    const vm = this.edge.worker(worker);
    this.#tickUntilCounted(worker);
    const own = this.ledger.sent.filter((sent) => sent.vm === vm);
    // Whether these were settled with that tick is not known.
    if (own.some((sent) => isOpen(sent) && isOver(sent))) return;
    for (const sent of own) sent.isLost = true;
    this.#hasReloaded = true;
    this.edge.reload(worker);
  }

  #tickInPeace(worker: number): void {
    run(this.#tick(worker));
  }

  /** What one tick settles, the next one counts. */
  #tickUntilCounted(worker: number): void {
    const settled = (): number => this.ledger.sent.filter(({ isSettled }) => isSettled).length;
    let before: number;
    do {
      before = settled();
      this.#tickInPeace(worker);
    } while (settled() !== before);
  }

  /** No more than ticks, and a report: what is over is settled, counted, and told. */
  #comeToRest(): void {
    for (let ticks = 0; ticks < TICKS_AT_END; ticks++) {
      this.edge.clock.advanceMs(TICK_MS);
      for (let worker = 0; worker < WORKERS; worker++) this.#tickInPeace(worker);
    }
    this.ledger.checkAllSettled();
    for (let worker = 0; worker < WORKERS; worker++) this.#tickUntilCounted(worker);
    this.#checkCounts();
    this.#report();
    for (let worker = 0; worker < WORKERS; worker++) run(this.#streams.finish(worker));
    this.#report();
    this.#checkReports();
  }

  /** Until the control plane has all. */
  #report(): void {
    for (let times = 0; times < 2; times++) {
      this.edge.clock.advanceMs(REPORT_INTERVAL_MS);
      for (let worker = 0; worker < WORKERS; worker++) this.#tickInPeace(worker);
      for (const report of this.edge.pendingReports) report.answer(200, reportAnswer());
    }
  }

  /** What was settled is told, as what was spent is. What a VM that is gone was to tell, only the sweep finds, in 10 s. */
  #checkReports(): void {
    if (this.#hasReloaded) return;
    const rows = this.edge.reports.flatMap((report) => reportIn(report).usage);
    for (const session of this.sessions) {
      const record = this.ledger.record(session);
      // That it has ended is found by the sweep as well.
      if (record?.live !== true || rows.some(([id, rev]) => id === session.id && rev === record.rev)) continue;
      if (record.rev !== record.ackedRev)
        throw new WrongSettlement(`revision ${record.rev} of a record is not reported`);
    }
  }

  #checkCounts(): void {
    const { metrics } = this.edge.host;
    const reserved = this.ledger.sent.filter((sent) => sent.reserved !== undefined);
    const open = reserved.filter((sent) => isOpen(sent) && !isOver(sent));
    const counted = metrics.sum("sluice_settlements_total");
    const lost = reserved.filter((sent) => sent.isLost && !sent.isSettled && sent.noted !== "no");
    const expected = reserved.length - open.length - lost.length;
    if (!reserved.some(({ noted }) => noted === "maybe") && counted !== expected) {
      throw new WrongSettlement(`${counted} settlements were counted, of ${expected}`);
    }
    const spent = metrics.sum("sluice_tokens_spent_total");
    // Tokens of a plan that is not in force are counted as nobody's.
    if (this.#changes ? spent > this.ledger.consumed : spent !== this.ledger.consumed) {
      throw new WrongSettlement(`${spent} tokens were counted as spent, of ${this.ledger.consumed}`);
    }
  }
}
