// One instance of a filter's module: calls its exports, and lets a suspendable module stop at a host call.
import { HostError } from "./abi.js";
import { GuestMemory } from "./guest-memory.js";

/** Work of a VM, a step at a time: it yields where a suspendable guest stopped at a host call. */
export type Steps<T> = Generator<undefined, T>;

/** Does all steps at once. */
export function run<T>(steps: Steps<T>): T {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

export type Imports = Record<string, Record<string, WebAssembly.HostFunction>>;
type GuestFunction = (...args: number[]) => number | undefined;

const PAGE_BYTES = 65536;
const REWINDING = 2;

export class Guest {
  readonly memory: GuestMemory;
  readonly #exports: Record<string, unknown>;
  /** Where asyncify keeps the stack of a stopped call: u32 top, u32 end, then the stack. 0 until it is first needed. */
  #stackAt = 0;
  #stopped = false;

  constructor(module: WebAssembly.Module, imports: (memory: GuestMemory) => Imports) {
    this.memory = new GuestMemory(
      () => this.#linearMemory(),
      (size) => this.#function("proxy_on_memory_allocate")(size) ?? 0,
    );
    const offered = imports(this.memory);
    for (const needed of WebAssembly.Module.imports(module)) {
      if (offered[needed.module]?.[needed.name] === undefined) {
        throw new HostError(`the module imports ${needed.module}.${needed.name}, which this host does not have`);
      }
    }
    this.#exports = new WebAssembly.Instance(module, offered).exports;
  }

  has(name: string): boolean {
    return typeof this.#exports[name] === "function";
  }

  global(name: string): WebAssembly.Global {
    const value = this.#exports[name];
    if (!(value instanceof WebAssembly.Global)) throw new HostError(`the module has no global ${name}`);
    return value;
  }

  /** Calls an export. A suspendable guest may stop at a host call: then this yields, and goes on when resumed. */
  *call(name: string, ...args: number[]): Steps<number> {
    const entry = this.#function(name);
    let result = entry(...args);
    while (this.#stopped) {
      this.#stopped = false;
      this.#function("asyncify_stop_unwind")();
      yield;
      this.#function("asyncify_start_rewind")(this.#stackAt);
      result = entry(...args);
    }
    return result ?? 0;
  }

  /** Called by a host call before it does anything: true means that the guest stops here and the call does nothing. */
  stopHere(): boolean {
    if (this.memory.allocating || !this.has("asyncify_get_state")) return false;
    if (this.#function("asyncify_get_state")() === REWINDING) {
      this.#function("asyncify_stop_rewind")();
      return false;
    }
    this.#prepareStack();
    this.#function("asyncify_start_unwind")(this.#stackAt);
    this.#stopped = true;
    return true;
  }

  /** A page of its own: AssemblyScript's allocator takes what it has grown itself, and its first heap at configure. */
  #prepareStack(): void {
    if (this.#stackAt === 0) this.#stackAt = this.#linearMemory().grow(1) * PAGE_BYTES;
    this.memory.setU32(this.#stackAt, this.#stackAt + 8);
    this.memory.setU32(this.#stackAt + 4, this.#stackAt + PAGE_BYTES);
  }

  #linearMemory(): WebAssembly.Memory {
    const memory = this.#exports["memory"];
    if (!(memory instanceof WebAssembly.Memory)) throw new HostError("the module exports no memory");
    return memory;
  }

  #function(name: string): GuestFunction {
    const value = this.#exports[name];
    if (typeof value !== "function") throw new HostError(`the module does not export ${name}`);
    return value as GuestFunction;
  }
}
