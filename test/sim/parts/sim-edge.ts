// One edge of the simulation: the lives of an Envoy with two workers, each of which does one thing at a time, a host call
// a step. The edge keeps its calls to the control plane until the simulation delivers or loses them.
import { PATH_REPORT, SET_BYTES, TICK_MS } from "../../../assembly/contract.js";
import { instanceOf, logCursorOf } from "../../host/harness/scenes/edge-keys.js";
import { settings, type PolicyDocument } from "../../host/harness/scenes/documents.js";
import { Edge, requestWith } from "../../host/harness/scenes/edge.js";
import type { Steps } from "../../host/harness/host/guest.js";
import type { HostCall } from "../../host/harness/host/host-calls.js";
import type { Session } from "../../host/harness/scenes/tokens.js";
import type { Vm } from "../../host/harness/host/vm.js";
import type { Ledger, Life } from "../invariants/ledger.js";
import type { Writer } from "../invariants/limit-ledger.js";
import { PolicyRules } from "../invariants/policy-rules.js";
import type { Path } from "./plan-limits.js";
import type { Policies } from "./policies.js";
import type { Build } from "./sim-filter.js";
import { saidOf, sessionsIn } from "./said.js";
import { newWorker, rowsIn, writerOf, type Call, type Request, type Worker, type WorkerReport } from "./sim-worker.js";
import type { HttpAnswer } from "./sim-plane.js";
import { fail } from "../invariants/violation.js";

/** Of each edge. */
export const WORKERS = 2;
/** The sets of the smallest table, and what it keeps beside them: capacity, instance, logCursor, leader, tags; and of the
 * policy its bytes, the bell, violations. */
const MAX_KEYS = 64 + 5 + 3;
/** For want of tokens. */
const DENIED = 429;

export interface SimEdgeParts {
  readonly name: string;
  readonly ledger: Ledger;
  readonly nowMs: () => number;
  /** The policy of the next settings; null: they have none. */
  readonly ownPolicy: () => PolicyDocument | null;
  /** What the next VM runs. */
  readonly build: () => Build;
  readonly policies: Policies;
}

export class SimEdge {
  edge: Edge;
  life: Life;
  rules: PolicyRules;
  calls: Call[] = [];
  #workers: Worker[] = [];
  #own: PolicyDocument | null = null;
  readonly #builds = new WeakMap<Vm, string>();
  /** Of a VM that is starting: it is none of the workers yet. */
  #startingBuild = "";
  #lives = 0;
  #known = 0;

  constructor(private readonly parts: SimEdgeParts) {
    [this.edge, this.life, this.rules] = this.#start();
  }

  /** Envoy dies, and another one starts: nothing of the old one is left. */
  crash(): Life {
    const lost = this.life;
    for (const call of this.calls) call.gone.abort();
    this.calls = [];
    [this.edge, this.life, this.rules] = this.#start();
    return lost;
  }

  get name(): string {
    return this.parts.name;
  }

  worker(index: number): Vm {
    return this.edge.worker(index);
  }

  get workers(): number[] {
    return this.#workers.map((_, index) => index);
  }

  isBusy(index: number): boolean {
    return this.#of(index).steps !== undefined;
  }

  isTickDue(index: number): boolean {
    return !this.isBusy(index) && this.parts.nowMs() >= this.#of(index).nextTickMs;
  }

  /** One host call more of the worker's work. */
  step(index: number): void {
    const worker = this.#of(index);
    if (worker.steps?.next().done === true) worker.steps = undefined;
    this.#noteCalls();
    const { failure } = this.worker(index);
    if (failure !== undefined) fail("trap", `${this.parts.name} worker ${index}: ${failure.message}`);
    if (this.edge.host.sharedData.size > MAX_KEYS) fail("3", `${this.edge.host.sharedData.size} keys`);
  }

  finish(index: number): void {
    while (this.isBusy(index)) this.step(index);
  }

  tick(index: number, periodMs: number): void {
    this.#of(index).nextTickMs = this.parts.nowMs() + periodMs;
    const tick = this.worker(index).tickSteps();
    const end = (): void => {
      this.#endTurns(index);
    };
    function* ticked(): Steps<void> {
      yield* tick;
      end();
    }
    this.#begin(index, ticked());
  }

  /** What had no answer counts until its requests have had their turn: a worker whose ticks come sooner has some left. */
  #endTurns(index: number): void {
    if (
      this.worker(index)
        .roots()
        .some(({ tickPeriodMs }) => tickPeriodMs > 0 && tickPeriodMs < TICK_MS)
    )
      return;
    for (const sessions of this.#of(index).unanswered.splice(0)) this.life.unanswered.delete(sessions);
  }

  request(index: number, session: Session, path: Path = "/"): void {
    const worker = this.#of(index);
    const vm = this.worker(index);
    const request = { session: session.id, path };
    const { writes } = this.life;
    const sentAtMs = this.parts.nowMs();
    const noteDenied = (): void => {
      if (this.life.writes === writes && this.parts.nowMs() === sentAtMs) this.#denied(vm, request);
    };
    function* send(): Steps<void> {
      worker.current = request;
      const stream = yield* vm.requestSteps(requestWith(session, path));
      worker.current = undefined;
      if (stream.status === DENIED) noteDenied();
      const waiting = worker.waiting.filter((other) => other.stream.paused);
      worker.waiting = stream.paused ? [...waiting, { ...request, stream }] : waiting;
    }
    this.#begin(index, send());
  }

  #denied(vm: Vm, { session, path }: Request): void {
    const { bucketsOf } = this.#writerOf(vm);
    const nowUs = this.edge.clock.monotonicNanos / 1000n;
    this.parts.ledger.limits.denied(this.life, bucketsOf, session, path, nowUs);
  }

  /** A client that waits leaves. */
  abandon(index: number): void {
    this.#of(index)
      .waiting.find(({ stream }) => stream.paused)
      ?.stream.abandon();
  }

  /** Brings an answer, or that there is none, to its worker. */
  deliver(call: Call, { status, body, headers = {} }: HttpAnswer): void {
    this.drop(call);
    if (call.callout.state !== "pending") return;
    const { life } = this;
    const said = saidOf(call, { status, body });
    for (const { session, state } of said) if (state !== "live") life.denied.add(session);
    const unanswered = status === 200 ? [] : sessionsIn(call);
    const worker = this.#of(call.worker);
    const end = (): void => {
      this.#endTurns(call.worker);
    };
    function* take(): Steps<void> {
      life.unanswered.add(unanswered);
      worker.unanswered.push(unanswered);
      worker.answering = { call, said };
      yield* call.callout.answerSteps(status, body, { ...headers });
      worker.answering = undefined;
      end();
      for (const { session, state, log } of said) if (state === "revoked") life.deniedAsRevoked.set(session, log);
    }
    this.#begin(call.worker, take());
  }

  drop(call: Call): void {
    this.calls = this.calls.filter((other) => other !== call);
  }

  /** The worker's VM is replaced: its globals and its unfinished work are gone. */
  reload(index: number): void {
    this.life.hasForgotten = true;
    const old = this.worker(index);
    this.rules.replaced(old);
    for (const root of old.roots()) for (const callout of root.callouts.values()) callout.state = "cancelled";
    const build = this.parts.build();
    this.#startingBuild = build.id;
    const fresh = this.edge.host.startVm(build.module, this.#settings());
    this.#builds.set(fresh, build.id);
    this.edge.workers[index] = fresh;
    this.#workers[index] = newWorker(this.parts.nowMs());
    for (const call of this.calls.filter(({ callout }) => callout.state === "cancelled")) {
      call.gone.abort();
      this.drop(call);
    }
  }

  /** Other settings, at one of the workers: it takes a while until all have them. */
  configure(index: number): void {
    this.#own = this.parts.ownPolicy();
    this.worker(index).configure(this.#settings());
    this.#noteCalls();
  }

  /** What a worker's last report said that it runs. */
  said(index: number): WorkerReport | undefined {
    return this.#of(index).said;
  }

  /** How many requests wait at a worker. */
  held(index: number): number {
    return this.#of(index).waiting.filter(({ stream }) => stream.paused).length;
  }

  advance(ms: number): void {
    this.edge.clock.advanceMs(ms);
  }

  /** From now on workers run a callback as a whole. */
  stopInterleaving(): void {
    for (const vm of this.edge.workers) vm.stopsAtHostCalls = false;
  }

  #begin(index: number, steps: Steps<unknown>): void {
    this.#of(index).steps = steps;
    this.step(index);
  }

  #of(index: number): Worker {
    const worker = this.#workers[index];
    if (worker === undefined) throw new RangeError(`no worker ${index}`);
    return worker;
  }

  /** Takes up the calls that were dispatched since. */
  #noteCalls(): void {
    const { callouts } = this.edge.host;
    for (const callout of callouts.slice(this.#known)) {
      const worker = this.edge.workers.indexOf(callout.vm);
      const { json } = callout;
      const deadlineMs = this.parts.nowMs() + callout.timeoutMs;
      this.#noteRows(json);
      if (callout.headers.get(":path") === PATH_REPORT) this.#of(worker).said = json as WorkerReport;
      this.calls.push({
        callout,
        json,
        worker,
        deadlineMs,
        gone: new AbortController(),
        sent: false,
        answer: undefined,
      });
    }
    this.#known = callouts.length;
    this.calls = this.calls.filter(({ callout }) => callout.state === "pending");
  }

  #noteRows(json: unknown): void {
    for (const { session, rev, names } of rowsIn(json, this.parts.policies))
      this.parts.ledger.limits.spends.noteRow(this.life, session, rev, names);
  }

  #writerOf(vm: Vm): Writer {
    const worker = this.#workers[this.edge.workers.indexOf(vm)];
    return writerOf(worker, this.rules.servedBy(vm), this.parts.policies);
  }

  #settings(): string {
    return settings(this.#own ?? undefined);
  }

  #start(): [Edge, Life, PolicyRules] {
    this.#lives += 1;
    this.#known = 0;
    const { name, ledger, nowMs } = this.parts;
    this.#own = this.parts.ownPolicy();
    const build = this.parts.build();
    const seed = this.#lives * 1000 + name.charCodeAt(name.length - 1);
    const edge = new Edge({ workers: WORKERS, module: build.module, seed, nodeId: name, policy: this.#own });
    this.#workers = edge.workers.map(() => newWorker(this.parts.nowMs()));
    for (const vm of edge.workers) this.#builds.set(vm, build.id);
    const buildOf = (vm: Vm): string => this.#builds.get(vm) ?? this.#startingBuild;
    const rules = new PolicyRules({ edge: name, host: edge.host, buildOf });
    edge.clock.advanceMs(nowMs());
    const { sharedData } = edge.host;
    const life: Life = {
      edge: name,
      instance: () => instanceOf(sharedData),
      logCursor: () => logCursorOf(sharedData),
      records: new Map(),
      spent: new Map(),
      deniedAsRevoked: new Map(),
      denied: new Set(),
      unanswered: new Set(),
      gone: new Set(),
      hasForgotten: false,
      writes: 0,
    };
    let before: Uint8Array | undefined;
    const writes = (call: HostCall): boolean =>
      call.name === "proxy_set_shared_data" && Number(call.args[3]) === SET_BYTES;
    edge.host.hooks.each("before", writes, (call) => {
      before = sharedData.get(call.key)?.value;
    });
    edge.host.hooks.each("after", writes, (call) => {
      const after = sharedData.get(call.key)?.value;
      if (after !== undefined && after !== before) ledger.wrote(life, before, after, this.#writerOf(call.vm));
    });
    return [edge, life, rules];
  }
}
