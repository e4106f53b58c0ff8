// Checks what an edge does with the control plane's policy at the moment when it does it: each write of bytes and bell,
// and each policy that a VM serves from now on.
import {
  POLICY_OFFERED,
  POLICY_OK,
  POLICY_REJECTED,
  POLICY_TRAPPED,
  POLICY_TRYING,
  SET_BYTES,
} from "../../../assembly/contract.js";
import { isLogCursorKey, logCursorOf } from "../../host/harness/scenes/edge-keys.js";
import type { HostCall } from "../../host/harness/host/host-calls.js";
import type { Host } from "../../host/harness/host/host.js";
import type { Vm } from "../../host/harness/host/vm.js";
import { bellIn, isBellKey, isPolicyKey, nameIn, type Bell, type PolicyName } from "../parts/bell-view.js";
import { fail } from "./violation.js";

const SERVING = /serving the policy of the (\S+),.* hash (\S+),/;
/** Before the edge follows any log. */
const NO_LOG = "0".repeat(16);

export interface PolicyRulesParts {
  readonly edge: string;
  readonly host: Host;
  readonly buildOf: (vm: Vm) => string;
}

/** Of one life of an edge's table. */
export class PolicyRules {
  bell: Bell | undefined;
  bytes: PolicyName | undefined;
  /** Hashes of all the bytes that were written. */
  readonly #written = new Set<string>();
  /** Builds that have a result on the bell's bytes, or had one since it names them. */
  #validated = new Set<string>();
  /** Hashes of what a VM has said that it tries. */
  readonly #tries = new Map<Vm, Set<string>>();
  /** Build and hash of what was accepted. */
  readonly #good = new Set<string>();
  /** Build and hash of what a VM was trying when it was replaced. */
  readonly #interrupted = new Set<string>();
  /** What the control plane sent, as each VM serves it. */
  readonly #serves = new Map<Vm, string>();
  /** The logs that the edge has followed since the bell, and the bytes, were written last. */
  readonly #followed = { bell: new Set([NO_LOG]), bytes: new Set([NO_LOG]) };

  constructor(private readonly parts: PolicyRulesParts) {
    const { host } = parts;
    const writes = ({ name, args }: HostCall): boolean =>
      name === "proxy_set_shared_data" && Number(args[3]) !== SET_BYTES;
    let before: Uint8Array | undefined;
    host.hooks.each("before", writes, ({ key }) => {
      before = host.sharedData.get(key)?.value;
    });
    host.hooks.each("after", writes, ({ key, vm }) => {
      const after = host.sharedData.get(key)?.value;
      if (after !== undefined && after !== before) this.#wrote(vm, key, after);
    });
    const logs = ({ name }: HostCall): boolean => name === "proxy_log";
    host.hooks.each("after", logs, ({ vm }) => {
      this.#logged(vm, host.logs.at(-1)?.message ?? "");
    });
  }

  /** The hash of the control plane's policy that a VM serves; undefined: none, or that of its settings. */
  servedBy(vm: Vm): string | undefined {
    return this.#serves.get(vm);
  }

  /** Whether a VM is in the middle of a try. */
  isTrying(vm: Vm): boolean {
    const { bell } = this;
    if (bell?.results.get(this.buildOf(vm)) !== POLICY_TRYING) return false;
    return this.#tries.get(vm)?.has(bell.hash) === true;
  }

  /** A VM is replaced: what it tries, it does not finish, also where another one has found that it takes too long. */
  replaced(vm: Vm): void {
    const build = this.parts.buildOf(vm);
    const { hash = "", results } = this.bell ?? {};
    const result = results?.get(build);
    const isTooLate = result === POLICY_TRAPPED && this.#tries.get(vm)?.has(hash) === true;
    if (result === POLICY_TRYING || isTooLate) this.#interrupted.add(`${build} ${hash}`);
  }

  readonly wasInterrupted = (build: string, hash: string): boolean => {
    return this.#interrupted.has(`${build} ${hash}`);
  };

  buildOf(vm: Vm): string {
    return this.parts.buildOf(vm);
  }

  #wrote(vm: Vm, key: string, value: Uint8Array): void {
    if (isLogCursorKey(key)) this.#noteFollowed();
    else if (isPolicyKey(key)) this.#wroteBytes(nameIn(value));
    else if (isBellKey(key)) this.#wroteBell(vm, bellIn(value));
  }

  #noteFollowed(): void {
    const log = logCursorOf(this.parts.host.sharedData)?.seenLog ?? NO_LOG;
    this.#followed.bell.add(log);
    this.#followed.bytes.add(log);
  }

  #wroteBytes(name: PolicyName): void {
    this.#expectForward("bytes", this.bytes, name);
    this.#written.add(name.hash);
    this.bytes = name;
    this.#followed.bytes.clear();
    this.#noteFollowed();
  }

  #wroteBell(vm: Vm, bell: Bell): void {
    const before = this.bell;
    const isRenamed = !isSame(before, bell);
    if (isRenamed) this.#expectForward("bell", before, bell);
    if (!this.#written.has(bell.hash)) this.#fail("bell", `names ${bell.hash}, whose bytes are not there`);
    if (before?.hash !== bell.hash) this.#validated = new Set();
    else if (!isRenamed) this.#noteDroppedResults(before, bell);
    this.#expectTried(vm, before, bell);
    for (const [build, state] of bell.results) this.#noteResult(before, bell, build, state);
    this.bell = bell;
    this.#followed.bell.clear();
    this.#noteFollowed();
  }

  /** A VM that gives a result has noted before that it tries; or it runs these bytes already, and its build has no result. */
  #expectTried(vm: Vm, before: Bell | undefined, { hash, results }: Bell): void {
    const build = this.buildOf(vm);
    const state = results.get(build);
    const was = before?.hash === hash ? before.results.get(build) : undefined;
    const tried = this.#tries.get(vm) ?? new Set();
    if (state === POLICY_TRYING && was !== state) this.#tries.set(vm, tried.add(hash));
    const isValidated = state !== was && (state === POLICY_OK || state === POLICY_REJECTED);
    if (isValidated && !tried.has(hash) && this.servedBy(vm) !== hash)
      this.#fail("twice", `${vm.name} has a result for ${hash} without a note that it tries it`);
  }

  /** A VM that went on late found other bytes than it was to try: its build has no result for them. */
  #noteDroppedResults(before: Bell, { results }: Bell): void {
    for (const build of before.results.keys()) if (!results.has(build)) this.#validated.delete(build);
  }

  #noteResult(before: Bell | undefined, { hash }: Bell, build: string, state: string): void {
    const was = before?.hash === hash ? (before.results.get(build) ?? POLICY_OFFERED) : POLICY_OFFERED;
    if (state === POLICY_TRYING && was !== POLICY_TRYING && this.#validated.has(build))
      this.#fail("twice", `${hash} is tried again by build ${build}, which has validated it`);
    if (state !== POLICY_TRYING) this.#validated.add(build);
    if (state === POLICY_OK) this.#good.add(`${build} ${hash}`);
  }

  /** Within a log to a higher number, and only in a log that the edge followed since the value that is replaced. */
  #expectForward(what: "bell" | "bytes", before: PolicyName | undefined, after: PolicyName): void {
    if (before?.log === after.log && before.generation > after.generation)
      this.#fail(what, `falls back from generation ${before.generation} to ${after.generation} of log ${after.log}`);
    const followed = this.#followed[what];
    if (followed.has(after.log) || followed.has(NO_LOG)) return;
    this.#fail(what, `is of log ${after.log}, followed are ${[...followed].join(" ")}`);
  }

  #logged(vm: Vm, message: string): void {
    const [, source, hash] = SERVING.exec(message) ?? [];
    if (source === undefined || hash === undefined) return;
    if (source !== "control-plane") {
      this.#serves.delete(vm);
      return;
    }
    const build = this.parts.buildOf(vm);
    if (!this.#good.has(`${build} ${hash}`))
      this.#fail("result", `${vm.name} serves ${hash}, which no VM of build ${build} has found good`);
    this.#serves.set(vm, hash);
  }

  #fail(invariant: "bell" | "bytes" | "twice" | "result", what: string): never {
    fail(invariant, `${this.parts.edge} ${invariant}: ${what}`);
  }
}

function isSame(one: PolicyName | undefined, other: PolicyName): boolean {
  return one?.log === other.log && one.generation === other.generation && one.hash === other.hash;
}
