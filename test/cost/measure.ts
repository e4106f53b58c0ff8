// What each request path costs in a build: its host calls, and the instructions that the guest executes.
import { plan, policy } from "../host/harness/scenes/documents.js";
import { Edge } from "../host/harness/scenes/edge.js";
import type { Vm } from "../host/harness/host/vm.js";
import { INSTRUCTIONS, countingInstructions } from "./instruction-counter.js";
import { LEASE_PATHS } from "./lease-paths.js";
import { REQUEST_PATHS, type RequestPath } from "./paths.js";
import { SETTLE_PATHS } from "./settle-paths.js";
import { TOKEN_PATHS } from "./token-paths.js";

export type BuildName = "full" | "lean" | "settle";
/** request: until the request goes on or is answered, an acquire's answer with it. response: what follows it. */
export type Side = "request" | "response";

export interface Cost {
  readonly build: BuildName;
  readonly path: string;
  readonly side: Side;
  readonly instructions: number;
  /** Their names, in the order they are made. */
  readonly hostCalls: readonly string[];
}

/** Of the callbacks that a filter may have; all others belong to the request. */
const AFTER_THE_REQUEST = [
  "proxy_on_response_headers",
  "proxy_on_response_body",
  "proxy_on_response_trailers",
  "proxy_on_log",
  "proxy_on_done",
  "proxy_on_delete",
];

/** Every callback that Envoy calls for a stream is in one of the two. Ticks are in none: they come whatever is sent. */
export function costsOf(wasm: Uint8Array): Cost[] {
  const build = buildNameOf(wasm);
  const module = new WebAssembly.Module(countingInstructions(wasm));
  const own = build === "settle" ? SETTLE_PATHS : [...REQUEST_PATHS, ...TOKEN_PATHS, ...LEASE_PATHS];
  return own.flatMap((path) => costsOfPath(build, module, path));
}

/** The lean build has no callback for responses, and only one has for their bodies. */
function buildNameOf(wasm: Uint8Array): BuildName {
  const names = WebAssembly.Module.exports(new WebAssembly.Module(wasm)).map(({ name }) => name);
  if (names.includes("proxy_on_response_body")) return "settle";
  return names.includes("proxy_on_response_headers") ? "full" : "lean";
}

/** Clock and randomness are the edge's: each run gives the same figures. */
function costsOfPath(build: BuildName, module: WebAssembly.Module, path: RequestPath): Cost[] {
  const { name, status, routes = [], prepared } = path;
  const response = { headers: build === "lean" ? "none" : "draft" };
  // Tokens come back, so that a refill is computed, and too slowly to make a denied session an allowed one.
  const edge = new Edge({
    module,
    policy: policy({ plans: [plan({ tokenRefillRate: 1 })], routes, response, ...path.policy }),
  });
  const send = prepared(edge);
  edge.clock.advanceMs(1);
  const ledger = new Ledger(edge.worker(0));
  const stream = send();
  if (stream.status !== status) {
    const got = stream.status ?? "no answer";
    throw new Error(`${build}, ${name}: expected a request that ends with ${status}, not ${got}`);
  }
  const sides: Side[] = build === "lean" ? ["request"] : ["request", "response"];
  return sides.map((side) => ({ build, path: name, side, ...ledger.of(side) }));
}

/** What a VM spends from now on, by the callbacks that it is called in. */
class Ledger {
  readonly #spent = {
    request: { instructions: 0, hostCalls: [] as string[] },
    response: { instructions: 0, hostCalls: [] as string[] },
  };
  #side: Side = "request";

  constructor(vm: Vm) {
    vm.host.hooks.each(
      "before",
      (call) => call.vm === vm,
      ({ name }) => this.#spent[this.#side].hostCalls.push(name),
    );
    const { guest } = vm;
    const executed = guest.global(INSTRUCTIONS);
    const call = guest.call.bind(guest);
    const spent = this.#spent;
    const enter = (callback: string): Side =>
      (this.#side = AFTER_THE_REQUEST.includes(callback) ? "response" : "request");
    guest.call = function* (callback, ...args) {
      const side = enter(callback);
      const before = executed.value;
      const result = yield* call(callback, ...args);
      spent[side].instructions += executed.value - before;
      return result;
    };
  }

  of(side: Side): { readonly instructions: number; readonly hostCalls: readonly string[] } {
    return this.#spent[side];
  }
}
