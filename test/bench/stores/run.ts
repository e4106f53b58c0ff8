// npm run bench:stores [-- --quick] [--only PART]… [--json FILE] [--profile FOLDER]: control planes over LMDB, Redis and
// Valkey side by side (docs/performance.md).
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, Failure } from "../../../scripts/failure.js";
import { machineAtStart } from "../stand/machine.js";
import { sectionText } from "../stand/section.js";
import type { Section } from "../stand/section.js";
import { storesArguments } from "./arguments.js";
import type { PartName, StoresArguments } from "./arguments.js";
import { newBench } from "./bench.js";
import type { Bench } from "./bench.js";
import { calls } from "./calls.js";
import { copy } from "./copy.js";
import { failovers } from "./failovers.js";
import { emptied, filledStores } from "./filled.js";
import { leases } from "./leases.js";
import { memory } from "./memory.js";
import { propagation } from "./propagation.js";
import { reset } from "./reset.js";

const FEW = 1024;
const MANY = { quick: 20_000, full: 1_000_000 };

type Show = (sections: readonly Section[]) => void;

async function measure(bench: Bench, parts: readonly PartName[], show: Show): Promise<void> {
  if (parts.includes("memory")) show(await memory(bench));
  if (parts.includes("calls")) await filled(bench, FEW, ["calls"], show);
  if (parts.includes("leases")) show(await leases(bench));
  const overMany = parts.filter((part) => !["memory", "leases", "copy", "failovers"].includes(part));
  if (overMany.length > 0) await filled(bench, bench.quick ? MANY.quick : MANY.full, overMany, show);
  if (parts.includes("copy")) show(await copy(bench));
  if (parts.includes("failovers")) show(await failovers(bench));
}

async function filled(bench: Bench, sessions: number, parts: readonly PartName[], show: Show): Promise<void> {
  const stores = await filledStores(bench, sessions);
  if (parts.includes("calls")) show(await calls(bench, stores, false));
  for (const { more } of stores) await more();
  if (parts.includes("calls")) show(await calls(bench, stores, true));
  if (parts.includes("propagation")) show(await propagation(bench, stores));
  if (parts.includes("reset")) show(await reset(bench, stores));
  await emptied(stores);
}

function write({ json, quick }: StoresArguments, machine: string, sections: readonly Section[]): void {
  if (json === null) return;
  const figures = Object.assign({}, ...sections.map((section) => section.figures)) as Record<string, number>;
  writeFileSync(json, `${JSON.stringify({ quick, machine, figures, sections }, null, 2)}\n`);
}

async function main(wanted: StoresArguments): Promise<void> {
  if (process.platform !== "linux") throw new Failure("the benchmark reads CPU time as Linux tells it, in /proc");
  const folder = mkdtempSync(join(tmpdir(), "sluice-bench-stores-"));
  const { bench, end } = newBench(wanted, folder);
  const sections: Section[] = [];
  const machine = machineAtStart();
  console.log(`${machine}; nothing is pinned to a core, load and servers share them\n`);
  let done = false;
  try {
    await measure(bench, wanted.parts, (more) => {
      sections.push(...more);
    });
    write(wanted, machine, sections);
    done = true;
  } finally {
    for (const section of sections) console.log(sectionText(section));
    await end();
    if (done) rmSync(folder, { recursive: true, force: true });
    else bench.say(`logs are in ${folder}`);
  }
}

// Connections that are kept would hold it.
await (async () => main(storesArguments(process.argv.slice(2))))().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(`bench: ${describe(error)}`);
    process.exit(1);
  },
);
