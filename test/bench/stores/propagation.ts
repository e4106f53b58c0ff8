// How long after a revocation's 204 at one control plane a watch at the same or at another one is answered.
import { setTimeout as delay } from "node:timers/promises";

import { Failure } from "../../../scripts/failure.js";
import { creationOf } from "../control-plane/stored-sessions.js";
import { quantile } from "../stand/quantile.js";
import type { Section } from "../stand/section.js";
import type { Bench } from "./bench.js";
import type { FilledStore } from "./filled.js";
import type { Plane } from "./planes.js";
import { callPlane, watch } from "./watching.js";

/** Until the watch is held, and what the revocation before has left to do is done. */
const BEFORE_EACH_MS = 30;

interface Times {
  /** From the 204 to the watch's answer; 0 where that came first. */
  readonly afterMs: number[];
  /** From the moment the revocation was sent. */
  readonly inAllMs: number[];
}

export async function propagation(bench: Bench, stores: readonly FilledStore[]): Promise<Section[]> {
  const revocations = bench.quick ? 60 : 500;
  const rows: string[][] = [];
  const figures: Record<string, number> = {};
  for (const { store, planes } of stores) {
    const [one, other] = planes;
    for (const at of [one, other]) {
      if (one === undefined || at === undefined) continue;
      const where = at === one ? "the same control plane" : "another control plane";
      bench.say(`revocations over ${store.name}, watched at ${where}`);
      const { afterMs, inAllMs } = await revoked(bench, one, at, revocations);
      const cells = [afterMs, inAllMs].flatMap((times) => [quantile(times, 0.5), quantile(times, 0.99)]);
      rows.push([`${store.name}, ${where}`, ...cells.map((ms) => ms.toFixed(2))]);
      const name = `propagation.${store.figure}.${at === one ? "same" : "other"}`;
      figures[`${name}.p50Ms`] = cells[0] ?? NaN;
      figures[`${name}.p99Ms`] = cells[1] ?? NaN;
    }
  }
  return [
    {
      title: `Revocation, from its 204 to the answer of a held watch`,
      method: `${revocations} revocations each, one after the other; no other load. In all: from when it was sent.`,
      columns: ["", "p50 ms", "p99 ms", "in all: p50 ms", "p99 ms"],
      ...{ rows, figures },
    },
  ];
}

async function revoked(bench: Bench, at: Plane, watchedAt: Plane, count: number): Promise<Times> {
  const times: Times = { afterMs: [], inAllMs: [] };
  let position = await watch(bench, watchedAt, undefined);
  for (let i = 0; i < count; i++) {
    const created = await callPlane("POST", at, "/v1/sessions", bench.admin, creationOf(i));
    if (created.status !== 201) throw new Failure(`a session was answered with ${created.status}: ${created.text}`);
    const { id } = (JSON.parse(created.text) as { session: { id: string } }).session;
    const held = watch(bench, watchedAt, position).then((answer) => ({ answer, atMs: performance.now() }));
    await delay(BEFORE_EACH_MS);
    const sentMs = performance.now();
    const { status } = await callPlane("DELETE", at, `/v1/sessions/${id}`, bench.admin);
    const doneMs = performance.now();
    if (status !== 204) throw new Failure(`a revocation was answered with ${status}`);
    const { answer, atMs } = await held;
    if (answer.revoked?.includes(id) !== true) throw new Failure(`a watch was answered without a revocation`);
    position = answer;
    times.afterMs.push(Math.max(0, atMs - doneMs));
    times.inAllMs.push(atMs - sentMs);
  }
  return times;
}
