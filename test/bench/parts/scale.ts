// From a thousand sessions to a million in one table: what a request costs then, and what the memory is.
import { Random } from "../../host/harness/host/random.js";
import { ADDED_COLUMNS, addedRow } from "./added-cpu.js";
import { cpuTimeNs } from "../stand/cpu-time.js";
import { addedNs } from "./differences.js";
import { inventedFlood, realFlood } from "./flood.js";
import type { Installation } from "../stand/installation.js";
import { manySessions, requireAll } from "../stand/load.js";
import { residentBytes } from "../stand/memory.js";
import { withInstallation, type Part } from "../stand/part.js";
import { inTurns, type Turn } from "./rounds.js";
import { mebibytes, ratio, type Section } from "../stand/section.js";
import { BARE, sluiceVariant, type Variant } from "../stand/variants.js";
import { zipf } from "../stand/zipf.js";

/** Twice the sessions, as the docs say. */
const CAPACITY = 2_097_152;
const SMALL_CAPACITY = 65_536;
const QUICK_SMALL_CAPACITY = 1024;
const WARM_UP = 1000;
const ZIPF_EXPONENT = 1.1;
const REPORTS_SELDOM = { acquireTimeout: 10_000, reportInterval: 60_000 };

export async function scale(part: Part): Promise<Section[]> {
  const sizes = part.quick ? [1_000, 10_000] : [1_000, 10_000, 100_000, 1_000_000];
  const largest = sizes.at(-1) ?? 0;
  const smallCapacity = part.quick ? QUICK_SMALL_CAPACITY : SMALL_CAPACITY;
  const large = { controlPlane: REPORTS_SELDOM, table: { name: "scale", capacity: CAPACITY } };
  const small = {
    controlPlane: { acquireTimeout: 1000, reportInterval: 1000 },
    table: { name: "small", capacity: smallCapacity },
  };
  const variants: Variant[] = [
    BARE,
    sluiceVariant("scale", `a table of ${CAPACITY}`, part.filterPath, large),
    sluiceVariant("small", `a table of ${smallCapacity}`, part.filterPath, small),
  ];
  part.say(`storing ${largest} sessions`);
  return withInstallation(part, "scale", { variants, sessions: largest }, async (installation) => [
    await growth(part, installation, sizes),
    await inventedFlood(part, installation, largest),
    await realFlood(part, installation, smallCapacity),
  ]);
}

async function growth(part: Part, installation: Installation, sizes: readonly number[]): Promise<Section> {
  const size = part.quick ? { requests: 4_000, rounds: 4 } : { requests: 20_000, rounds: 10 };
  const { tokens, envoyPid } = installation;
  // What Envoy and a VM take once, whatever the table: connections, buffers, compiled code.
  for (const name of ["bare", "small"]) {
    let next = 0;
    await manySessions(installation.portOf(name), WARM_UP, () => tokens[next++] ?? "");
  }
  const emptyBytes = residentBytes(envoyPid);
  const random = new Random(1);
  const rows: string[][] = [];
  const added: number[] = [];
  let inTable = 0;
  for (const count of sizes) {
    part.say(`${count} sessions in the table`);
    let next = inTable;
    const fresh = count - inTable;
    const answers = await manySessions(installation.portOf("scale"), fresh, () => tokens[next++] ?? "");
    requireAll("the sessions' first requests", answers, "200", fresh);
    inTable = count;
    const grownBytes = residentBytes(envoyPid) - emptyBytes;
    const pickers = [{ name: "uniform", pick: () => random.below(count) }];
    if (count === sizes.at(-1))
      pickers.push({ name: `Zipf ${ZIPF_EXPONENT}`, pick: zipf(count, ZIPF_EXPONENT, random) });
    for (const { name, pick } of pickers) {
      const turns = ["bare", "scale"].map((variant): Turn => {
        const port = installation.portOf(variant);
        const load = async (): Promise<number> => {
          const results = await manySessions(port, size.requests, () => tokens[pick()] ?? "");
          requireAll(`${count} sessions`, results, "200", size.requests);
          return size.requests;
        };
        return { name: variant, load };
      });
      const rounds = await inTurns(turns, size.rounds, () => cpuTimeNs(envoyPid));
      if (name === "uniform") added.push(addedNs(rounds, ["scale"], "bare"));
      rows.push([...addedRow(rounds, "scale", "bare", `${count}, ${name}`), mebibytes(grownBytes)]);
    }
  }
  const growthRatio = (added.at(-1) ?? NaN) / (added[0] ?? NaN);
  const bytesARecord = (residentBytes(envoyPid) - emptyBytes) / CAPACITY;
  return {
    title: "Sessions in one table",
    method: `A table of ${CAPACITY} records, Node's HTTP/2 client, ${size.rounds} rounds of ${size.requests} requests. "MiB more": since ${WARM_UP} requests at bare and at another table.`,
    columns: [...ADDED_COLUMNS, "MiB more"],
    rows: [
      ...rows,
      [`${sizes.at(-1) ?? 0} ÷ ${sizes[0] ?? 0}`, ratio(growthRatio), "", "", ""],
      ["bytes a record of the capacity", bytesARecord.toFixed(0), "", "", ""],
    ],
    ratios: { "scale.growth": growthRatio },
    figures: { "scale.bytesARecord": bytesARecord },
  };
}
