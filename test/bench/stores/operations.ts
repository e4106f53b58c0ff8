// What is asked of control planes, one kind of call after the other.
import { PATH_ACQUIRE, PATH_REPORT } from "../../../assembly/contract.js";
import { requestText } from "../control-plane/http1-load.js";
import type { Load } from "../control-plane/http1-load.js";
import { creationOf } from "../control-plane/stored-sessions.js";
import type { Bench } from "./bench.js";
import { EDGE, instanceOf } from "./fill.js";
import type { FilledStore } from "./filled.js";

const json = { "content-type": "application/json" };
export const ROWS_OF_REPORT = 256;
const SESSIONS_OF_ACQUIRE = 64;
/** Who asks; the instances of the filling report. */
const ASKER = instanceOf(999);

export interface Operation {
  readonly name: string;
  /** Calls under way at a time. */
  readonly connections: number;
  /** Calls of a run. */
  readonly requests: number;
  /** Calls of a run with one under way. */
  readonly alone: number;
  readonly load: () => Omit<Load, "requests">;
}

/** Calls about the sessions of one store, which goes from run to run with them. */
export function operationsOf({ quick, edge, admin }: Bench, { ids, nowMs, revs }: FilledStore): Operation[] {
  const some = (full: number): number => (quick ? Math.ceil(full / 5) : full);
  const next = inTurn(ids);
  const created: string[] = [];
  let users = 0;
  const call = (path: string, body: object): string =>
    requestText("POST", path, { ...json, authorization: edge }, JSON.stringify(body));
  const acquire = (): string => call(PATH_ACQUIRE, { edge: EDGE, instance: ASKER, session: next() });
  const report = (rows: number) => (): string => {
    const rev = ++revs.last;
    const usage = Array.from({ length: rows }, () => [
      next(),
      rev,
      rev,
      999_995_000_000,
      Math.min(1000, Date.now() - nowMs),
    ]);
    return call(PATH_REPORT, { edge: EDGE, instance: instanceOf(0), usage, more: false });
  };
  const create = (): string =>
    requestText("POST", "/v1/sessions", { ...json, authorization: admin }, JSON.stringify(creationOf(users++)));
  const answered = (body: string): void => {
    created.push((JSON.parse(body) as { session: { id: string } }).session.id);
  };
  const revoke = (): string => requestText("DELETE", `/v1/sessions/${created.shift() ?? ""}`, { authorization: admin });
  const sizes = { connections: 64, requests: some(4000), alone: some(300) };
  const few = { connections: 64, requests: some(1500), alone: some(200) };
  return [
    { name: "acquire", ...sizes, load: () => ({ status: 200, next: acquire }) },
    { name: "report, 1 row", ...sizes, load: () => ({ status: 200, next: report(1) }) },
    {
      name: `report, ${ROWS_OF_REPORT} rows`,
      // So few that no two have a session in common where there are only a thousand.
      ...{ connections: 4, requests: some(250), alone: some(50) },
      load: () => ({ status: 200, next: report(ROWS_OF_REPORT) }),
    },
    { name: "creation", ...few, load: () => ({ status: 201, next: create, answered }) },
    // What was created goes.
    { name: "revocation", ...few, load: () => ({ status: 204, next: revoke }) },
  ];
}

/** Calls of an edge that begins anew: about each of its sessions, as many as a call takes. */
export function resetLoad({ edge }: Bench, ids: readonly string[]): Load {
  const next = inTurn(ids);
  return {
    requests: Math.ceil(ids.length / SESSIONS_OF_ACQUIRE),
    status: 200,
    next: () => {
      const others = Array.from({ length: SESSIONS_OF_ACQUIRE - 1 }, () => ({ session: next() }));
      const body = { edge: EDGE, instance: instanceOf(0), session: next(), others };
      return requestText("POST", PATH_ACQUIRE, { ...json, authorization: edge }, JSON.stringify(body));
    },
  };
}

/** One after the other, over and over: neighbours in the store are not asked about together. */
function inTurn(ids: readonly string[]): () => string {
  const step = coprimeTo(ids.length);
  let at = 0;
  return () => {
    at = (at + step) % ids.length;
    return ids[at] ?? "";
  };
}

const GOLDEN = 0.618;
function coprimeTo(count: number): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  let step = Math.max(1, Math.floor(count * GOLDEN));
  while (divisor(step, count) !== 1) step++;
  return step;
}
