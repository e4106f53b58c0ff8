// Calls a second and how long they take, over each store in turn and back, with one control plane and with two.
import type { Section } from "../stand/section.js";
import type { Bench } from "./bench.js";
import { nameOf } from "./filled.js";
import type { FilledStore } from "./filled.js";
import { operationsOf } from "./operations.js";
import type { Operation } from "./operations.js";
import { run, summaryOf } from "./runs.js";
import type { Run, Summary } from "./runs.js";

interface Variant {
  readonly name: string;
  readonly figure: string;
  readonly filled: FilledStore;
  readonly operations: readonly Operation[];
}

interface Runs {
  readonly together: Run[];
  readonly alone: Run[];
}

const COLUMNS = ["", "a second", "p50 ms", "p99 ms", "alone: p50 ms", "p99 ms", "CPU µs", "server's", "conflicts ‰"];

/** With the control planes that there are over each store. Where `onlyShared`, of stores that have several. */
export async function calls(bench: Bench, stores: readonly FilledStore[], onlyShared: boolean): Promise<Section[]> {
  const variants = stores
    .filter(({ planes }) => planes.length > 1 || !onlyShared)
    .map((filled) => variantOf(bench, filled));
  const rounds = bench.quick ? 1 : 4;
  const measured = new Map(
    variants.map((variant) => [variant, variant.operations.map((): Runs => ({ together: [], alone: [] }))]),
  );
  for (const variant of variants) await runAll(variant, undefined);
  for (let round = 1; round <= rounds; round++) {
    bench.say(`round ${round} of ${rounds}, ${variants.map(({ name }) => name).join(", ")}`);
    for (const variant of [...variants, ...variants.toReversed()]) await runAll(variant, measured.get(variant));
  }
  return [sectionOf(bench, variants, measured)];
}

function variantOf(bench: Bench, filled: FilledStore): Variant {
  const { store, planes, ids } = filled;
  return {
    name: nameOf(filled),
    figure: `${ids.length}.${store.figure}${planes.length}`,
    filled,
    operations: operationsOf(bench, filled),
  };
}

/** Undefined: to warm up. */
async function runAll({ filled, operations }: Variant, runs: readonly Runs[] | undefined): Promise<void> {
  const made: { readonly of: Runs | undefined; readonly alone: boolean; readonly run: Run }[] = [];
  for (const isAlone of [false, true]) {
    for (const [i, operation] of operations.entries()) {
      made.push({ of: runs?.[i], alone: isAlone, run: await run(operation, filled, isAlone) });
    }
  }
  for (const { of, alone, run: one } of made) (alone ? of?.alone : of?.together)?.push(one);
}

function sectionOf(
  bench: Bench,
  variants: readonly Variant[],
  measured: ReadonlyMap<Variant, readonly Runs[]>,
): Section {
  const [first] = variants;
  const names = first?.operations.map(({ name }) => name) ?? [];
  const rows: string[][] = [];
  const figures: Record<string, number> = {};
  for (const [i, operation] of names.entries()) {
    rows.push([operation]);
    for (const variant of variants) {
      const runs = measured.get(variant)?.[i] ?? { together: [], alone: [] };
      const [together, alone] = [summaryOf(runs.together), summaryOf(runs.alone)];
      rows.push([`  ${variant.name}`, ...cellsOf(together, alone)]);
      note(figures, `calls.${variant.figure}.${operation.replaceAll(/\W+/g, "")}`, together, alone);
    }
  }
  const sessions = first?.filled.ids.length ?? 0;
  const two = variants.some(({ filled }) => filled.planes.length > 1) ? ", the load shared by two control planes" : "";
  return {
    title: `Calls, ${sessions} sessions in the store${two}`,
    method:
      `64 calls under way at a time, 4 of reports of 256 rows; and one alone. Medians of ${bench.quick ? 2 : 8} runs. CPU a ` +
      "call of all control planes, and of the store's server.",
    columns: COLUMNS,
    rows,
    figures,
  };
}

const cellsOf = (together: Summary, alone: Summary): string[] => [
  together.perSecond.toFixed(0),
  ...[together, alone].flatMap(({ p50Ms, p99Ms }) => [p50Ms.toFixed(2), p99Ms.toFixed(2)]),
  together.planeCpuUs.toFixed(0),
  together.serverCpuUs.toFixed(0),
  together.conflicts.toFixed(1),
];

function note(figures: Record<string, number>, name: string, together: Summary, alone: Summary): void {
  figures[`${name}.perSecond`] = together.perSecond;
  figures[`${name}.p50Ms`] = together.p50Ms;
  figures[`${name}.p99Ms`] = together.p99Ms;
  figures[`${name}.aloneP50Ms`] = alone.p50Ms;
  figures[`${name}.aloneP99Ms`] = alone.p99Ms;
  figures[`${name}.planeCpuUs`] = together.planeCpuUs;
  figures[`${name}.serverCpuUs`] = together.serverCpuUs;
}
