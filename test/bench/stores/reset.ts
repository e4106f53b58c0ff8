// What it costs that all edges begin anew: the server of a store is killed and starts again, and each session in use is
// acquired again. LMDB's log outlives a restart: there the acquires are shown for comparison.
import { waitForStatus } from "../../../scripts/start/readiness.js";
import { quantile } from "../stand/quantile.js";
import type { Section } from "../stand/section.js";
import type { Bench } from "./bench.js";
import { nameOf } from "./filled.js";
import type { FilledStore } from "./filled.js";
import { resetLoad } from "./operations.js";
import { driven } from "./runs.js";
import { watch } from "./watching.js";

const READY = { timeoutMs: 30_000 };
/** Two Envoys of one worker, which has so many calls under way. */
const CALLS = 16;

export async function reset(bench: Bench, stores: readonly FilledStore[]): Promise<Section[]> {
  const rows: string[][] = [];
  const figures: Record<string, number> = {};
  const inUse = bench.quick ? 10_000 : 100_000;
  for (const filled of stores) {
    const { store, ids } = filled;
    bench.say(`edges begin anew over ${store.name}`);
    const awaySeconds = await restarted(bench, filled);
    const used = ids.slice(0, inUse);
    const { seconds, p99Ms, planeUs, serverUs } = await acquiredAgain(bench, filled, used);
    rows.push([
      nameOf(filled),
      awaySeconds === undefined ? "-" : awaySeconds.toFixed(2),
      seconds.toFixed(2),
      (used.length / seconds).toFixed(0),
      ...[p99Ms.toFixed(1), planeUs.toFixed(0), serverUs.toFixed(0)],
    ]);
    const name = `reset.${store.figure}`;
    figures[`${name}.awaySeconds`] = awaySeconds ?? 0;
    figures[`${name}.sessionsPerSecond`] = used.length / seconds;
  }
  return [
    {
      title: `Edges begin anew, ${stores[0]?.ids.length ?? 0} sessions in the store`,
      method:
        `The server is killed and started again; then ${Math.min(inUse, stores[0]?.ids.length ?? 0)} sessions are acquired again, 64 a call, ` +
        `${CALLS} calls under way. Away: from the kill to a held watch's answer "reset". CPU a session.`,
      columns: ["", "away s", "acquires s", "sessions a second", "p99 ms a call", "CPU µs", "server's"],
      ...{ rows, figures },
    },
  ];
}

async function restarted(bench: Bench, { store, planes }: FilledStore): Promise<number | undefined> {
  const [plane] = planes;
  if (store.server === undefined || plane === undefined) return undefined;
  let answer = await watch(bench, plane, undefined);
  const startedMs = performance.now();
  const held = (async () => {
    while (answer.reset !== true) answer = await watch(bench, plane, answer);
  })();
  await store.server.kill();
  await Promise.all([store.server.restart(), held]);
  const seconds = (performance.now() - startedMs) / 1000;
  for (const { statusPort } of planes) await waitForStatus(`http://127.0.0.1:${statusPort}/readyz`, 200, READY);
  return seconds;
}

async function acquiredAgain(bench: Bench, filled: FilledStore, used: readonly string[]) {
  const { wallMs, latenciesMs, planeCpuNs, serverCpuNs } = await driven(filled, resetLoad(bench, used), CALLS);
  return {
    seconds: wallMs / 1000,
    p99Ms: quantile(latenciesMs, 0.99),
    planeUs: planeCpuNs / 1000 / used.length,
    serverUs: serverCpuNs / 1000 / used.length,
  };
}
