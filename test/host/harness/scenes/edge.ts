// One edge for tests: a host with the built filter on some workers, a secret, a policy, and a clock that is moved by hand.
import {
  ENV_SECRET,
  ENV_SECRET_ALSO,
  PATH_ACQUIRE,
  PATH_LEASE,
  PATH_REPORT,
  PATH_WATCH,
  TICK_MS,
} from "../../../../assembly/contract.js";
import type { Callout } from "../host/callouts.js";
import { filterModule } from "../builds/filter-modules.js";
import type { HeaderPairs } from "../host/header-map.js";
import { Host } from "../host/host.js";
import { Random } from "../host/random.js";
import { SharedData } from "../host/shared-data.js";
import type { Stream } from "../host/stream.js";
import {
  liveAnswer,
  policy,
  REPORT_INTERVAL_MS,
  reportAnswer,
  SECRET,
  settings,
  type LiveAnswer,
  type PolicyDocument,
} from "./documents.js";
import { TableView } from "./table-view.js";
import { TokenMint, type Session } from "./tokens.js";
import type { Vm } from "../host/vm.js";

export interface EdgeOptions {
  /** Of the settings; null: they have none. */
  readonly policy?: PolicyDocument | null;
  /** The rest of the settings. */
  readonly settings?: PolicyDocument;
  readonly workers?: number;
  readonly secret?: string;
  readonly secretAlso?: string;
  /** null: Envoy has none. */
  readonly nodeId?: string | Uint8Array | null;
  /** What the host begins to number metrics and calls with. */
  readonly firstId?: number;
  readonly module?: WebAssembly.Module;
  readonly seed?: number;
  /** That of another edge: two installations in one Envoy. */
  readonly sharedData?: SharedData;
}

let shared: WebAssembly.Module | undefined;

export class Edge {
  readonly host: Host;
  readonly workers: Vm[];
  readonly mint: TokenMint;
  readonly table: TableView;
  readonly random: Random;
  readonly #module: WebAssembly.Module;
  readonly #document: string;

  constructor(options: EdgeOptions = {}) {
    const environment: Record<string, string> = { [ENV_SECRET]: options.secret ?? SECRET };
    if (options.secretAlso !== undefined) environment[ENV_SECRET_ALSO] = options.secretAlso;
    const nodeId = options.nodeId === undefined ? "edge-1" : options.nodeId;
    // Envoy answers both spellings.
    const properties = nodeId === null ? {} : { "node.id": nodeId, "xds.node.id": nodeId };
    const sharedData = options.sharedData ?? new SharedData();
    const { seed = 1, firstId = 1 } = options;
    this.host = new Host({ environment, properties, sharedData, seed, firstId });
    this.random = new Random(options.seed ?? 1);
    this.mint = new TokenMint(options.secret ?? SECRET, this.random);
    this.table = new TableView(this.host.sharedData);
    const own = options.policy === null ? undefined : (options.policy ?? policy());
    this.#document = settings(own, options.settings);
    this.#module = options.module ?? (shared ??= filterModule());
    const start = (): Vm => this.host.startVm(this.#module, this.#document);
    this.workers = Array.from({ length: options.workers ?? 1 }, start);
  }

  worker(index: number): Vm {
    const worker = this.workers[index];
    if (worker === undefined) throw new RangeError(`no worker ${index}`);
    return worker;
  }

  /** One more worker, with other settings or of another build of the filter. */
  addWorker(document = this.#document, module = this.#module): Vm {
    const vm = this.host.startVm(module, document);
    this.workers.push(vm);
    return vm;
  }

  /** The worker's VM is replaced, as after a trap: its globals are gone, shared data stays, its calls come to nothing. */
  reload(index: number): Vm {
    const old = this.worker(index);
    for (const root of old.roots()) {
      for (const callout of root.callouts.values()) callout.state = "cancelled";
    }
    const fresh = this.host.startVm(this.#module, this.#document);
    this.workers[index] = fresh;
    return fresh;
  }

  newSession(planId = 0): Session {
    return this.mint.mint(this.host.clock.wallMs, planId);
  }

  /** Sends a session's request to a worker. */
  send(session: Session | string, worker = 0): Stream {
    return this.worker(worker).request(requestWith(session));
  }

  /** A session whose record is in the table after one request, with 9 or the given number of tokens left. */
  sessionInTable(answer: LiveAnswer = {}, worker = 0): Session {
    const session = this.newSession(answer.plan ?? 0);
    const stream = this.send(session, worker);
    this.answerLive({ ...answer, tokens: (answer.tokens ?? 9) + 1 });
    if (stream.status !== 200) throw new Error(`the session was not admitted: ${stream.status ?? "it waits"}`);
    return session;
  }

  /** How many of n requests a session gets through, all on one worker. */
  admitted(session: Session, requests: number, worker = 0): number {
    const streams = Array.from({ length: requests }, () => this.send(session, worker));
    return streams.filter((stream) => stream.reachedUpstream).length;
  }

  /** Every acquire that was sent, in order. */
  get acquires(): Callout[] {
    return this.#calls(PATH_ACQUIRE);
  }

  get reports(): Callout[] {
    return this.#calls(PATH_REPORT);
  }

  /** Every lease call that was sent, in order. */
  get leases(): Callout[] {
    return this.#calls(PATH_LEASE);
  }

  /** The lease calls that wait for an answer. */
  get pendingLeases(): Callout[] {
    return this.leases.filter(isPending);
  }

  get watches(): Callout[] {
    return this.#calls(PATH_WATCH);
  }

  /** The acquires that wait for an answer. */
  get pendingAcquires(): Callout[] {
    return this.acquires.filter(isPending);
  }

  /** The reports that wait for an answer. */
  get pendingReports(): Callout[] {
    return this.reports.filter(isPending);
  }

  /** The one acquire that waits for an answer. */
  get callout(): Callout {
    return onlyOne(this.acquires, "acquires");
  }

  /** The one report that waits for an answer. */
  get report(): Callout {
    return onlyOne(this.reports, "reports");
  }

  /** The one watch that is held. */
  get watch(): Callout {
    return onlyOne(this.watches, "watches");
  }

  answerLive(answer: LiveAnswer = {}): void {
    this.callout.answer(200, liveAnswer(answer));
  }

  /** Brings the guest's counters to the host. */
  flush(): void {
    for (const worker of this.workers) worker.tick();
  }

  /** Lets an interval pass, and the control plane acknowledge what every worker then reports. */
  takeReports(): void {
    this.clock.advanceMs(REPORT_INTERVAL_MS);
    this.flush();
    for (const report of this.pendingReports) report.answer(200, reportAnswer());
  }

  /** Lets time pass as it does in Envoy: with every worker's ticks, which come sooner where one asks for that. */
  passMs(ms: number): void {
    let passed = 0;
    while (passed < ms) {
      const step = Math.min(TICK_MS, ...this.tickPeriods, ms - passed);
      this.clock.advanceMs(step);
      this.flush();
      passed += step;
    }
  }

  /** Of the roots of all workers, ms. */
  get tickPeriods(): number[] {
    return this.workers.flatMap((worker) => worker.roots().map(({ tickPeriodMs }) => tickPeriodMs));
  }

  get clock(): Host["clock"] {
    return this.host.clock;
  }

  #calls(path: string): Callout[] {
    return this.host.callouts.filter((callout) => callout.headers.get(":path") === path);
  }
}

function isPending(callout: Callout): boolean {
  return callout.state === "pending";
}

function onlyOne(callouts: readonly Callout[], what: string): Callout {
  const pending = callouts.filter(isPending);
  if (pending.length !== 1 || pending[0] === undefined) throw new Error(`${pending.length} ${what} are out, not 1`);
  return pending[0];
}

export function requestWith(session: Session | string | undefined, path = "/"): HeaderPairs {
  const headers: [string, string][] = [
    [":method", "GET"],
    [":path", path],
    [":authority", "service.test"],
  ];
  if (session !== undefined) headers.push(["x-session-id", typeof session === "string" ? session : session.token]);
  return headers;
}
