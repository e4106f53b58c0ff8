// What a worker of the simulation is doing, and by it who writes a set of the table: which requests it may be deciding on, and
// which answer it takes.
import type { Callout } from "../../host/harness/host/callouts.js";
import type { Steps } from "../../host/harness/host/guest.js";
import type { Stream } from "../../host/harness/host/stream.js";
import type { Writer } from "../invariants/limit-ledger.js";
import type { Path } from "./plan-limits.js";
import type { Policies } from "./policies.js";
import type { Said } from "./said.js";
import type { HttpAnswer } from "./sim-plane.js";

/** A call on its way: to the control plane, there, or back. */
export interface Call {
  readonly callout: Callout;
  /** What it says: parsed once, for it is looked at often. */
  readonly json: unknown;
  readonly worker: number;
  readonly deadlineMs: number;
  readonly gone: AbortController;
  sent: boolean;
  answer: HttpAnswer | undefined;
}

export interface Request {
  readonly session: string;
  readonly path: Path;
}

export interface Worker {
  steps: Steps<unknown> | undefined;
  nextTickMs: number;
  waiting: (Request & { readonly stream: Stream })[];
  /** What it decides on. */
  current: Request | undefined;
  /** What is brought to it. */
  answering: { readonly call: Call; readonly said: readonly Said[] } | undefined;
  /** Sessions by call that got no answer, and whose requests have not all had their turn. */
  unanswered: (readonly string[])[];
  /** What its last report said of it. */
  said: WorkerReport | undefined;
}

/** What a worker says that it runs. */
export interface WorkerReport {
  readonly worker: string;
  readonly build: string;
  readonly policy: { readonly source: string; readonly generation: number; readonly hash?: string };
}

export function newWorker(nowMs: number): Worker {
  const idle = { waiting: [], current: undefined, answering: undefined, unanswered: [] };
  return { steps: undefined, nextTickMs: nowMs, ...idle, said: undefined };
}

/** Of a session in a call: its rev, and the limits whose levels stand there. */
export interface SaidRow extends Pick<Request, "session"> {
  readonly rev: number;
  readonly names: readonly string[];
}

export function rowsIn(json: unknown, policies: Policies): readonly SaidRow[] {
  const { usage = [] } = json as { usage?: readonly (readonly [string, number, ...unknown[]])[] };
  return usage.map(([session, rev, , , , tag]) => ({
    ...{ session, rev },
    names: typeof tag === "string" ? policies.namesOf(tag) : [],
  }));
}

/** @param hash the policy that the worker serves; undefined: that of its settings */
export function writerOf(worker: Worker | undefined, hash: string | undefined, policies: Policies): Writer {
  const { waiting = [], current, answering } = worker ?? {};
  const requests: Request[] = current === undefined ? [...waiting] : [current, ...waiting];
  return {
    isClosed: hash !== undefined && policies.kindOf(hash) === "closed",
    bucketsOf: (planId) => policies.bucketsOf(hash, planId),
    pathsOf: (id) => requests.filter(({ session }) => session === id).map(({ path }) => path),
    saidOf: (id) => rowsIn(answering?.call.json ?? {}, policies).find(({ session }) => session === id),
    answeredOf: (id) => answering?.said.find(({ session }) => session === id)?.levels,
  };
}
