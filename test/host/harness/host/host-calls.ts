// Lets a test run something inside a host call: before it happens, or after it and before the guest goes on.
// That is how a race is forced: what another VM does there, it does between two host calls of the first.
import type { Vm } from "./vm.js";

export class HostCall {
  constructor(
    readonly vm: Vm,
    readonly name: string,
    readonly args: readonly (number | bigint)[],
  ) {}

  /** The key of a shared-data call. */
  get key(): string {
    return this.vm.guest.memory.text(Number(this.args[0]), Number(this.args[1]));
  }
}

type Moment = "before" | "after";
type Match = (call: HostCall) => boolean;

interface Hook {
  readonly moment: Moment;
  readonly matches: Match;
  readonly action: (call: HostCall) => void;
  readonly once: boolean;
}

export class HostCallHooks {
  #hooks: Hook[] = [];

  /** Runs the action at every matching call, until the returned function is called. */
  each(moment: Moment, matches: Match, action: (call: HostCall) => void): () => void {
    return this.#add({ moment, matches, action, once: false });
  }

  /** Runs the action at the next matching call only. It may itself make host calls, of other VMs. */
  once(moment: Moment, matches: Match, action: (call: HostCall) => void): () => void {
    return this.#add({ moment, matches, action, once: true });
  }

  fire(moment: Moment, ...[vm, name, args]: ConstructorParameters<typeof HostCall>): void {
    if (this.#hooks.length === 0) return;
    const call = new HostCall(vm, name, args);
    for (const hook of [...this.#hooks]) {
      if (hook.moment !== moment || !this.#hooks.includes(hook) || !hook.matches(call)) continue;
      if (hook.once) this.#remove(hook);
      hook.action(call);
    }
  }

  /** How many hooks still wait: a race that was meant to happen and did not leaves one. */
  get waiting(): number {
    return this.#hooks.filter((hook) => hook.once).length;
  }

  #add(hook: Hook): () => void {
    this.#hooks.push(hook);
    return () => {
      this.#remove(hook);
    };
  }

  #remove(hook: Hook): void {
    this.#hooks = this.#hooks.filter((other) => other !== hook);
  }
}
