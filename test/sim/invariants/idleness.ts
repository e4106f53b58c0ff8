// When sessions were truly active, and whether the control plane could know: checks each end for idleness against it.
import type { Life } from "./ledger.js";
import { WORKERS } from "../parts/sim-edge.js";
import { fail } from "./violation.js";

export interface IdlenessParts {
  /** Of the simulation, ms. */
  readonly nowMs: () => number;
  readonly maxAgeMs: number;
  /** How late an edge's reports may be, ms. */
  readonly graceMs: number;
}

export class Idleness {
  readonly #lastActiveMs = new Map<string, number>();
  /** Sessions that nobody used for maxAge since the control plane last let them in: those may go. */
  readonly #onceIdle = new Set<string>();
  /** Session to the times of its spends, in order, life by life. */
  readonly #spends = new Map<string, Map<Life, number[]>>();
  /** Instance and session to the tokens that were reported. */
  readonly #reported = new Map<string, number>();
  /** Instance to its workers that have reported since the control plane's start. */
  readonly #reporters = new Map<string, Set<string>>();
  #listeningSinceMs = 0;

  constructor(private readonly parts: IdlenessParts) {}

  loggedIn(id: string): void {
    this.#lastActiveMs.set(id, this.parts.nowMs());
  }

  /** The control plane has answered an ask of then with a live session: its idle time begins anew. */
  acquired(id: string, askedAtMs: number): void {
    const lastMs = Math.max(this.#lastActiveMs.get(id) ?? 0, askedAtMs);
    this.#lastActiveMs.set(id, lastMs);
    if (lastMs - askedAtMs < this.parts.maxAgeMs) this.#onceIdle.delete(id);
  }

  /** @param known the control plane knows that the edge holds the session: it was not admitted unverified */
  spent(life: Life, id: string, atMs: number, known: boolean): void {
    const lives = this.#spends.get(id) ?? new Map<Life, number[]>();
    lives.set(life, [...(lives.get(life) ?? []), atMs]);
    this.#spends.set(id, lives);
    if (!known) return;
    const lastMs = this.#lastActiveMs.get(id) ?? atMs;
    if (atMs - lastMs >= this.parts.maxAgeMs) this.#onceIdle.add(id);
    this.#lastActiveMs.set(id, Math.max(lastMs, atMs));
  }

  reported(id: string, instance: string, consumed: number): void {
    const key = instance + id;
    this.#reported.set(key, Math.max(this.#reported.get(key) ?? 0, consumed));
  }

  /** A worker's report was taken. */
  workerReported(instance: string, worker: string): void {
    this.#reporters.set(instance, (this.#reporters.get(instance) ?? new Set()).add(worker));
  }

  planeStarted(): void {
    this.#reporters.clear();
    this.#listeningSinceMs = this.parts.nowMs();
  }

  /** The control plane may not know that these sessions were active: a backup was restored, or an Envoy's memory is lost. */
  lost(ids: Iterable<string>): void {
    for (const id of ids) this.#onceIdle.add(id);
  }

  /** Reports to a control plane that is gone count for nothing. */
  restored(): void {
    this.#reported.clear();
    this.lost(this.#lastActiveMs.keys());
  }

  /** The control plane ended a session for idleness. Throws a Violation if it was active, and that could be known. */
  ended(id: string): void {
    const idleMs = this.parts.nowMs() - (this.#lastActiveMs.get(id) ?? 0);
    if (this.#onceIdle.has(id) || idleMs >= this.parts.maxAgeMs) return;
    const { maxAgeMs, graceMs, nowMs } = this.parts;
    const isListening = nowMs() - this.#listeningSinceMs > maxAgeMs + graceMs;
    if (isListening && [...(this.#spends.get(id) ?? [])].some(([life, spends]) => this.#isDirty(id, life, spends)))
      return;
    fail("idle", `session ${id} was never idle, last active ${idleMs} ms ago, and is ended`);
  }

  /** It was used at a worker that has not reported since the start, or at one that lost what it had to report. */
  #isDirty(id: string, life: Life, spends: readonly number[]): boolean {
    const instance = life.instance() ?? "";
    const dirtySinceMs = spends[this.#reported.get(instance + id) ?? 0] ?? Infinity;
    const isKnown = !life.hasForgotten && (this.#reporters.get(instance)?.size ?? 0) === WORKERS;
    return !isKnown && dirtySinceMs <= this.#graceAgoMs();
  }

  #graceAgoMs(): number {
    return this.parts.nowMs() - this.parts.graceMs;
  }
}
