// One VM of the filter, as a worker has it: its contexts, and the order in which Envoy calls it.
import { HostError } from "./abi.js";
import type { Callout, CalloutAnswer } from "./callouts.js";
import { Guest, run, type Steps } from "./guest.js";
import type { HeaderInput } from "./header-map.js";
import type { Host } from "./host.js";
import { hostImports } from "./host-imports.js";
import { GuestExit } from "./imports/wasi.js";
import { RootContext } from "./root-context.js";
import { Stream } from "./stream.js";

export type Context = RootContext | Stream;

export class Vm {
  readonly guest: Guest;
  /** The first trap. Envoy fails the VM for good then, and so does this host. */
  failure: Error | undefined;
  /** What the filter said of the last configuration. */
  accepted = false;
  /** True while suspendable guests stop at their host calls. Not before they serve: they are configured in one go. */
  stopsAtHostCalls = false;
  /** What the guest asked for during a callback and Envoy does after it: continue, local replies. */
  readonly deferred: (() => Steps<void>)[] = [];
  readonly #contexts = new Map<number, Context>();
  #serving: RootContext | undefined;
  #current: Context | undefined;
  #effective: Context | undefined;
  #nextContextId = 1;
  #nextCalloutToken: number;

  constructor(
    readonly host: Host,
    readonly name: string,
    module: WebAssembly.Module,
  ) {
    this.#nextCalloutToken = host.firstId;
    this.guest = new Guest(module, (memory) => hostImports(this, memory));
    if (this.guest.has("_initialize")) run(this.guest.call("_initialize"));
  }

  exports(name: string): boolean {
    return this.guest.has(name);
  }

  /**
   * Applies a configuration: a new root beside the old one, which goes when its last stream has. One that is rejected
   * leaves the old one serving, as in Envoy, which tries it on a canary.
   */
  configure(configuration: string | Uint8Array): boolean {
    const root = new RootContext(this.#nextContextId, Buffer.from(configuration));
    this.#nextContextId += 1;
    this.#contexts.set(root.id, root);
    this.accepted = run(this.#startRoot(root));
    if (!this.accepted) {
      this.#contexts.delete(root.id);
      return false;
    }
    const old = this.#serving;
    this.#serving = root;
    if (old !== undefined) this.#retire(old);
    this.stopsAtHostCalls = true;
    return true;
  }

  /** A configuration comes again whose root still has streams: Envoy takes that root, and configures nothing. */
  serveAgain(root: RootContext): void {
    const old = this.#serving;
    root.retired = false;
    this.#serving = root;
    if (old !== undefined) this.#retire(old);
  }

  /** The plugin is removed from the listener: its root goes when its last stream has. */
  remove(): void {
    if (this.#serving !== undefined) this.#retire(this.#serving);
    this.#serving = undefined;
  }

  /** Sends a request; where the filter lets it pass, the service answers 200 at once. */
  request(headers: HeaderInput): Stream {
    return run(this.requestSteps(headers));
  }

  /** Sends a request and leaves the service's answer to the test. */
  open(headers: HeaderInput): Stream {
    return run(this.openSteps(headers));
  }

  *openSteps(headers: HeaderInput): Steps<Stream> {
    const stream = this.#newStream(headers, false);
    yield* stream.begin();
    return stream;
  }

  *requestSteps(headers: HeaderInput): Steps<Stream> {
    const stream = this.#newStream(headers, true);
    yield* stream.begin();
    return stream;
  }

  tick(): void {
    run(this.tickSteps());
  }

  /** Every root that set a tick period is called, also one that waits for its last stream. */
  *tickSteps(): Steps<void> {
    for (const root of this.roots()) {
      if (root.tickPeriodMs > 0) yield* this.enter(root, "proxy_on_tick", root.id);
    }
  }

  roots(): RootContext[] {
    return [...this.#contexts.values()].filter((context) => context.kind === "root");
  }

  /** Where a host call acts: on the effective context if the guest set one that still lives. */
  get context(): Context {
    const effective = this.#effective;
    if (effective !== undefined && this.#contexts.has(effective.id)) return effective;
    if (this.#current === undefined) throw new HostError("a host call outside of any callback");
    return this.#current;
  }

  /** False: there is no such context, or no more. */
  setEffectiveContext(id: number): boolean {
    const context = this.#contexts.get(id);
    if (context === undefined) return false;
    this.#effective = context;
    return true;
  }

  isOpen(context: Context): boolean {
    return this.#contexts.get(context.id) === context;
  }

  /** The stream is no more, and no callback says so yet. */
  vanish(stream: Stream | undefined): void {
    if (stream !== undefined) this.#contexts.delete(stream.id);
  }

  takeCalloutToken(): number {
    return this.#nextCalloutToken++;
  }

  /** Brings a callout's answer to its root. A root that has gone took its callouts with it. */
  *deliverSteps(callout: Callout, answer: CalloutAnswer): Steps<void> {
    const { root, token } = callout;
    root.callouts.delete(token);
    root.answer = answer;
    const sizes = [answer.headers.size, answer.body.length, 0];
    yield* this.enter(root, "proxy_on_http_call_response", root.id, token, ...sizes);
  }

  /** Calls the guest in a context, then does what it asked for meanwhile. Undefined: it trapped, now or before. */
  *enter(context: Context, name: string, ...args: number[]): Steps<number | undefined> {
    if (this.failure !== undefined) return undefined;
    if (this.#current !== undefined) throw new HostError(`${this.name} is entered again while it runs`);
    this.#current = context;
    this.#effective = undefined;
    let result: number | undefined;
    try {
      result = yield* this.guest.call(name, ...args);
    } catch (error) {
      if (!isTrap(error)) throw error;
      this.failure = error;
      this.deferred.length = 0;
    } finally {
      this.#current = undefined;
      context.root.answer = undefined;
    }
    for (const action of this.deferred.splice(0)) yield* action();
    return this.failure === undefined ? result : undefined;
  }

  /** The end of a context: log (of a stream), done, delete; then its retired root, if it was the last stream. */
  *closeContextSteps(context: Context): Steps<void> {
    const callbacks = context.kind === "stream" ? ["proxy_on_log"] : [];
    callbacks.push("proxy_on_done", "proxy_on_delete");
    for (const callback of callbacks) {
      if (this.exports(callback)) yield* this.enter(context, callback, context.id);
    }
    this.#contexts.delete(context.id);
    if (context.kind === "root") {
      for (const callout of context.callouts.values()) callout.state = "cancelled";
      return;
    }
    context.root.streams.delete(context);
    if (context.root.retired && context.root.streams.size === 0) yield* this.closeContextSteps(context.root);
  }

  *#startRoot(root: RootContext): Steps<boolean> {
    if (this.exports("proxy_on_context_create")) yield* this.enter(root, "proxy_on_context_create", root.id, 0);
    if (this.exports("proxy_on_vm_start")) {
      if ((yield* this.enter(root, "proxy_on_vm_start", root.id, 0)) !== 1) return false;
    }
    if (!this.exports("proxy_on_configure")) return this.failure === undefined;
    return (yield* this.enter(root, "proxy_on_configure", root.id, root.configuration.length)) === 1;
  }

  #retire(root: RootContext): void {
    root.retired = true;
    if (root.streams.size === 0) run(this.closeContextSteps(root));
  }

  #newStream(headers: HeaderInput, upstreamAnswers: boolean): Stream {
    if (this.#serving === undefined) throw new HostError(`${this.name} has no configuration that it accepted`);
    const stream = new Stream(this, this.#serving, this.#nextContextId, headers, upstreamAnswers);
    this.#nextContextId += 1;
    this.#contexts.set(stream.id, stream);
    this.#serving.streams.add(stream);
    return stream;
  }
}

/** A RangeError is the engine's own limit of the stack: the guest's endless recursion. */
function isTrap(error: unknown): error is Error {
  return error instanceof WebAssembly.RuntimeError || error instanceof GuestExit || error instanceof RangeError;
}
