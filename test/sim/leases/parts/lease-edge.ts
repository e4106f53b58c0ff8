// An Envoy of the simulation of leases: its lives, each with two workers of the built filter over one table. A worker does one
// thing at a time, a host call a step. Calls to the control plane are kept until the simulation delivers or loses them.
import { SET_BYTES } from "../../../../assembly/contract.js";
import { Edge, requestWith } from "../../../host/harness/scenes/edge.js";
import { instanceOf } from "../../../host/harness/scenes/edge-keys.js";
import { policy } from "../../../host/harness/scenes/documents.js";
import type { Callout } from "../../../host/harness/host/callouts.js";
import type { Steps } from "../../../host/harness/host/guest.js";
import type { Session } from "../../../host/harness/scenes/tokens.js";
import type { Vm } from "../../../host/harness/host/vm.js";
import type { Stream } from "../../../host/harness/host/stream.js";
import { fail } from "../../invariants/violation.js";
import type { EdgeWitness, Writer } from "../invariants/edge-witness.js";
import type { HttpAnswer } from "./lease-plane.js";
import { COST_HEADER, SETTLES, settingsOf, type Path, type Variant } from "./lease-policies.js";

export const WORKERS = 2;
const TICK_US = 100_000;

/** A call on its way: to a control plane, there, or back. Times are µs of the simulation. */
export interface Call {
  readonly callout: Callout;
  readonly path: string;
  readonly json: unknown;
  readonly worker: number;
  readonly sentAtUs: number;
  readonly deadlineUs: number;
  /** No sooner than then it moves on. */
  heldUntilUs: number;
  isSent: boolean;
  answer: HttpAnswer | undefined;
}

/** A request that is to say later what it really cost. */
export interface OpenRequest {
  readonly worker: number;
  readonly session: Session;
  readonly path: Path;
  readonly stream: Stream;
}

interface Worker extends Writer {
  steps: Steps<unknown> | undefined;
  policy: Variant;
  nextTickUs: number;
}

export interface LeaseEdgeParts {
  readonly name: string;
  readonly module: WebAssembly.Module;
  readonly nowUs: () => number;
  readonly witness: EdgeWitness;
  /** Of the next worker that starts. */
  readonly policy: () => Variant;
}

export class LeaseEdge {
  edge: Edge;
  calls: Call[] = [];
  #workers: Worker[] = [];
  #open: OpenRequest[] = [];
  #lives = 0;
  #known = 0;

  constructor(private readonly parts: LeaseEdgeParts) {
    this.edge = this.#start();
  }

  get name(): string {
    return this.parts.name;
  }

  /** Envoy dies, and another one starts: its table and its calls are gone. */
  restart(): void {
    this.calls = [];
    this.#open = [];
    this.edge = this.#start();
  }

  /** The worker's VM is replaced: its globals, its calls and its unfinished work are gone. The table stays. */
  reload(index: number): void {
    for (const root of this.edge.worker(index).roots())
      for (const callout of root.callouts.values()) callout.state = "cancelled";
    this.edge.workers[index] = this.edge.host.startVm(this.parts.module, settingsOf(this.parts.policy()));
    this.#workers[index] = this.#newWorker();
    this.#open = this.#open.filter(({ worker }) => worker !== index);
    this.#noteCalls();
  }

  configure(index: number): void {
    const policy = this.parts.policy();
    this.#of(index).policy = policy;
    this.edge.worker(index).configure(settingsOf(policy));
    this.#noteCalls();
  }

  /** All workers go by a plan of scope fleet. */
  get isFleet(): boolean {
    return this.#workers.every(({ policy }) => policy.scope === "fleet");
  }

  isBusy(index: number): boolean {
    return this.#of(index).steps !== undefined;
  }

  isTickDue(index: number): boolean {
    return !this.isBusy(index) && this.parts.nowUs() >= this.#of(index).nextTickUs;
  }

  /** One host call more of the worker's work. */
  step(index: number): void {
    const worker = this.#of(index);
    if (worker.steps?.next().done === true) worker.steps = undefined;
    this.#noteCalls();
    const { failure } = this.edge.worker(index);
    if (failure !== undefined) fail("trap", `${this.name} worker ${index}: ${failure.message}`);
  }

  finish(index: number): void {
    while (this.isBusy(index)) this.step(index);
  }

  tick(index: number): void {
    this.#of(index).nextTickUs = this.parts.nowUs() + TICK_US;
    this.#begin(index, this.edge.worker(index).tickSteps());
  }

  /** @param done told what the request was answered, or undefined where it waits */
  request(
    index: number,
    session: Session,
    path: Path,
    done: (status: number | undefined) => void = () => undefined,
  ): void {
    const vm = this.edge.worker(index);
    const settles = SETTLES[path] !== undefined;
    const opened = (stream: Stream): void => {
      if (this.edge.worker(index) === vm) this.#open.push({ worker: index, session, path, stream });
    };
    function* send(): Steps<void> {
      const headers = requestWith(session, path);
      const stream = settles ? yield* vm.openSteps(headers) : yield* vm.requestSteps(headers);
      if (settles) opened(stream);
      done(stream.status);
    }
    this.#begin(index, send());
  }

  /** Those that were let through, and whose worker is idle. */
  get unsettled(): readonly OpenRequest[] {
    this.#open = this.#open.filter(({ stream }) => stream.paused || stream.state === "upstream");
    return this.#open.filter(({ worker, stream }) => stream.state === "upstream" && !this.isBusy(worker));
  }

  /** The request's response comes. @param said what it says that it cost; undefined: the client leaves without one */
  settle(open: OpenRequest, said: string | undefined): void {
    this.#open = this.#open.filter((other) => other !== open);
    const worker = this.#of(open.worker);
    function* respond(): Steps<void> {
      worker.settling = { path: open.path, cost: said === undefined ? undefined : Math.ceil(Number(said)) };
      const { stream } = open;
      if (said === undefined) yield* stream.abandonSteps();
      else yield* stream.respondSteps({ ":status": "200", [COST_HEADER]: said });
      worker.settling = undefined;
    }
    this.#begin(open.worker, respond());
  }

  /** Brings an answer, or that there is none, to its worker. */
  deliver(call: Call, { status, body }: HttpAnswer): void {
    this.calls = this.calls.filter((other) => other !== call);
    if (call.callout.state !== "pending") return;
    const worker = this.#of(call.worker);
    const { witness } = this.parts;
    const { edge } = this;
    function* take(): Steps<void> {
      worker.answering = status === 200 ? witness.answered(edge, call, body) : [];
      yield* call.callout.answerSteps(status, body);
      worker.answering = [];
    }
    this.#begin(call.worker, take());
  }

  advance(us: number): void {
    this.edge.clock.advanceMicros(us);
  }

  /** From now on workers run a callback as a whole. */
  stopInterleaving(): void {
    for (const vm of this.edge.workers) vm.stopsAtHostCalls = false;
  }

  get instance(): string {
    return instanceOf(this.edge.host.sharedData) ?? "";
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
    const sentAtUs = this.parts.nowUs();
    for (const callout of callouts.slice(this.#known)) {
      this.calls.push({
        ...{ callout, path: callout.headers.get(":path") ?? "", json: callout.json, sentAtUs },
        worker: this.edge.workers.indexOf(callout.vm),
        ...{ deadlineUs: sentAtUs + callout.timeoutMs * 1000, heldUntilUs: 0, isSent: false, answer: undefined },
      });
    }
    this.#known = callouts.length;
    this.calls = this.calls.filter(({ callout }) => callout.state === "pending");
  }

  #newWorker(): Worker {
    return {
      steps: undefined,
      nextTickUs: this.parts.nowUs(),
      readAtUs: this.parts.nowUs(),
      answering: [],
      settling: undefined,
      policy: this.parts.policy(),
    };
  }

  #start(): Edge {
    const { name, module, nowUs, witness } = this.parts;
    this.#lives += 1;
    this.#known = 0;
    const seed = this.#lives * 1000 + name.charCodeAt(name.length - 1);
    const edge = new Edge({ workers: 0, module, seed, nodeId: name, policy: policy() });
    edge.clock.advanceMicros(nowUs());
    const writerOf = (vm: Vm): Worker | undefined => this.#workers[edge.workers.indexOf(vm)];
    edge.host.hooks.each(
      "after",
      ({ name: call }) => call === "clock_time_get",
      ({ vm }) => {
        const worker = writerOf(vm);
        if (worker !== undefined) worker.readAtUs = nowUs();
      },
    );
    let before: Uint8Array | undefined;
    const { sharedData } = edge.host;
    const isSet = (call: { readonly name: string; readonly args: readonly unknown[] }): boolean =>
      call.name === "proxy_set_shared_data" && Number(call.args[3]) === SET_BYTES;
    edge.host.hooks.each("before", isSet, (call) => {
      before = sharedData.get(call.key)?.value;
    });
    edge.host.hooks.each("after", isSet, (call) => {
      const after = sharedData.get(call.key)?.value;
      const writer = writerOf(call.vm);
      if (after !== undefined && after !== before && writer !== undefined) witness.wrote(edge, before, after, writer);
    });
    this.#workers = [];
    for (let index = 0; index < WORKERS; index++) {
      edge.addWorker(settingsOf(this.parts.policy()));
      this.#workers.push(this.#newWorker());
    }
    return edge;
  }
}
