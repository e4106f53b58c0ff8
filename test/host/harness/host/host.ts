// A Proxy-Wasm host for tests: what one Envoy process has, for any number of VMs. Nothing in it runs by itself: no
// thread, no timer, no real clock. A test decides what happens next, also inside a host call (host-calls.ts).
import { WasmResult, type LogLevel } from "./abi.js";
import type { Callout } from "./callouts.js";
import { Clock } from "./clock.js";
import { HostCallHooks } from "./host-calls.js";
import { Metrics } from "./metrics.js";
import { Random } from "./random.js";
import { SharedData } from "./shared-data.js";
import { Vm } from "./vm.js";

export interface HostOptions {
  /** What the guest reads by WASI environ_get. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Properties of the process by dotted path, for example node.id. */
  readonly properties?: Readonly<Record<string, string | Uint8Array>>;
  readonly seed?: number;
  /** That of another host: two installations in one Envoy, where all plugins share one map. */
  readonly sharedData?: SharedData;
  /** What this host begins to number metrics and calls with: 1, as Envoy does; others begin with 0. */
  readonly firstId?: number;
}

export interface LogEntry {
  readonly vm: Vm;
  readonly level: LogLevel;
  readonly message: string;
}

export class Host {
  readonly sharedData: SharedData;
  readonly clock = new Clock();
  readonly metrics: Metrics;
  readonly firstId: number;
  readonly hooks = new HostCallHooks();
  readonly logs: LogEntry[] = [];
  /** Every HTTP call that was dispatched, in order. */
  readonly callouts: Callout[] = [];
  readonly vms: Vm[] = [];
  readonly environment: Readonly<Record<string, string>>;
  readonly properties: ReadonlyMap<string, string | Uint8Array>;
  readonly random: Random;
  /** What proxy_http_call answers: 2 for an unknown cluster, 10 for one without a healthy host; 0 dispatches. */
  dispatchResult: number = WasmResult.Ok;

  constructor(options: HostOptions = {}) {
    this.sharedData = options.sharedData ?? new SharedData();
    this.firstId = options.firstId ?? 1;
    this.metrics = new Metrics(this.firstId);
    this.environment = options.environment ?? {};
    this.properties = new Map(Object.entries(options.properties ?? {}));
    this.random = new Random(options.seed ?? 1);
  }

  /** Starts a VM and configures it; `accepted` says whether the filter took the configuration. */
  startVm(module: WebAssembly.Module, configuration: string): Vm {
    const vm = new Vm(this, `vm-${this.vms.length}`, module);
    this.vms.push(vm);
    vm.configure(configuration);
    return vm;
  }

  get pendingCallouts(): Callout[] {
    return this.callouts.filter((callout) => callout.state === "pending");
  }

  /** All log messages of a level, or of all levels. */
  messages(level?: LogLevel): string[] {
    return this.logs.filter((entry) => level === undefined || entry.level === level).map((entry) => entry.message);
  }
}
