// One edge of the simulation: lives of an Envoy with two workers, each of which does one thing at a time, a host call
// a step. Its calls to the control plane lie in its hands until the simulation delivers or loses them.
import { SET_BYTES } from "../../assembly/contract.js";
import type { Callout } from "../host/callouts.js";
import { instanceOf, placeOf } from "../host/edge-keys.js";
import { Edge, requestWith, type PolicyDocument } from "../host/edge.js";
import type { Steps } from "../host/guest.js";
import type { HostCall } from "../host/host-calls.js";
import type { Stream } from "../host/stream.js";
import type { Session } from "../host/tokens.js";
import type { Vm } from "../host/vm.js";
import type { Ledger, Life } from "./ledger.js";
import type { HttpAnswer } from "./sim-plane.js";
import { fail } from "./violation.js";

/** Of each edge. */
export const WORKERS = 2;
/** The sets of the smallest table, and what it keeps beside them: capacity, instance, place, leader. */
const MAX_KEYS = 64 + 4;

/** A call on its way: to the control plane, there, or back. */
export interface Call {
  readonly callout: Callout;
  readonly worker: number;
  readonly deadlineMs: number;
  readonly gone: AbortController;
  sent: boolean;
  answer: HttpAnswer | undefined;
}

interface Worker {
  steps: Steps<unknown> | undefined;
  nextTickMs: number;
  waiting: Stream[];
}

export interface SimEdgeParts {
  readonly name: string;
  readonly module: WebAssembly.Module;
  readonly ledger: Ledger;
  readonly nowMs: () => number;
  /** The policy of a generation. */
  readonly policyOf: (generation: number) => PolicyDocument;
}

export class SimEdge {
  edge: Edge;
  life: Life;
  calls: Call[] = [];
  #workers: Worker[] = [];
  #generation = 1;
  #lives = 0;
  #known = 0;

  constructor(private readonly parts: SimEdgeParts) {
    [this.edge, this.life] = this.#start();
  }

  /** Envoy dies, and another one starts: nothing of the old one is left. */
  crash(): Life {
    const lost = this.life;
    for (const call of this.calls) call.gone.abort();
    this.calls = [];
    [this.edge, this.life] = this.#start();
    return lost;
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

  /** One host call more of what the worker is at. */
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
    this.#begin(index, this.worker(index).tickSteps());
  }

  request(index: number, session: Session): void {
    const worker = this.#of(index);
    const vm = this.worker(index);
    function* send(): Steps<void> {
      const stream = yield* vm.requestSteps(requestWith(session));
      if (stream.paused) worker.waiting = [...worker.waiting.filter((other) => other.paused), stream];
    }
    this.#begin(index, send());
  }

  /** A client that waits leaves. */
  abandon(index: number): void {
    this.#of(index)
      .waiting.find((stream) => stream.paused)
      ?.abandon();
  }

  /** Brings an answer, or that there is none, to its worker. */
  deliver(call: Call, { status, body }: HttpAnswer): void {
    this.drop(call);
    if (call.callout.state !== "pending") return;
    const { life } = this;
    const { session } = call.callout.json as { session?: string };
    const said =
      session === undefined || status !== 200 ? undefined : (JSON.parse(body) as { state: string; log: string });
    if (session !== undefined && said !== undefined && said.state !== "live") life.denied.add(session);
    function* take(): Steps<void> {
      yield* call.callout.answerSteps(status, body);
      if (session !== undefined && said?.state === "revoked") life.refused.set(session, said.log);
    }
    this.#begin(call.worker, take());
  }

  drop(call: Call): void {
    this.calls = this.calls.filter((other) => other !== call);
  }

  /** The worker's VM is replaced: its globals and whatever it was at are gone. */
  reload(index: number): void {
    this.life.hasForgotten = true;
    this.edge.reload(index);
    this.#workers[index] = { steps: undefined, nextTickMs: this.parts.nowMs(), waiting: [] };
    for (const call of this.calls.filter(({ callout }) => callout.state === "cancelled")) {
      call.gone.abort();
      this.drop(call);
    }
  }

  configure(index: number): void {
    this.#generation += 1;
    this.worker(index).configure(JSON.stringify(this.parts.policyOf(this.#generation)));
    this.#noteCalls();
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
      const deadlineMs = this.parts.nowMs() + callout.timeoutMs;
      this.calls.push({ callout, worker, deadlineMs, gone: new AbortController(), sent: false, answer: undefined });
    }
    this.#known = callouts.length;
    this.calls = this.calls.filter(({ callout }) => callout.state === "pending");
  }

  #start(): [Edge, Life] {
    this.#lives += 1;
    this.#known = 0;
    const { name, module, ledger, policyOf, nowMs } = this.parts;
    const seed = this.#lives * 1000 + name.charCodeAt(name.length - 1);
    const edge = new Edge({ workers: WORKERS, module, seed, nodeId: name, policy: policyOf(this.#generation) });
    edge.clock.advanceMs(nowMs());
    const { sharedData } = edge.host;
    const life: Life = {
      edge: name,
      instance: () => instanceOf(sharedData),
      place: () => placeOf(sharedData),
      records: new Map(),
      spent: new Map(),
      refused: new Map(),
      denied: new Set(),
      gone: new Set(),
      hasForgotten: false,
    };
    let before: Uint8Array | undefined;
    const writes = (call: HostCall): boolean =>
      call.name === "proxy_set_shared_data" && Number(call.args[3]) === SET_BYTES;
    edge.host.hooks.each("before", writes, (call) => {
      before = sharedData.get(call.key)?.value;
    });
    edge.host.hooks.each("after", writes, (call) => {
      const after = sharedData.get(call.key)?.value;
      if (after !== undefined && after !== before) ledger.wrote(life, before, after);
    });
    this.#workers = Array.from({ length: WORKERS }, () => ({ steps: undefined, nextTickMs: nowMs(), waiting: [] }));
    return [edge, life];
  }
}
