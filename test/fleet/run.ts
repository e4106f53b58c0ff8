// npm run fleet: three Envoys, two control planes and a real store, a load over all of them, and what was admitted of it beside
// what one budget allows. Until its time is over, or Ctrl-C; then everything that it started is ended. Exits with 1 where more
// was admitted than that.
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { describe, Failure } from "../../scripts/failure.js";
import { machineAtStart } from "../bench/stand/machine.js";
import { type Section, sectionText } from "../bench/stand/section.js";
import { FAULTS, type FleetArguments, fleetArguments, STORES } from "./arguments.js";
import { comparisonOf } from "./compare/comparison.js";
import { figuresOf, type Figures } from "./figures/figures.js";
import { type Calls, lastLine, liveLine } from "./figures/lines.js";
import { type Fleet, startFleet } from "./fleet.js";
import { Recovery } from "./figures/recovery.js";
import { busySince, machineCpu } from "./figures/machine-cpu.js";
import { CallCounts } from "./parts/calls.js";
import { runFault } from "./parts/faults.js";
import type { Lane } from "./parts/load.js";
import { BUCKET } from "./parts/planes.js";
import { Ends, newSite } from "./parts/site.js";

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const SECOND_MS = 1000;
/** Of the run, until something goes wrong. */
const BEFORE_FAULT = 0.25;

const say = (line: string): void => {
  console.log(`fleet: ${line}`);
};

const figuresFor = ({ ledger, sessions }: Lane): Figures => figuresOf(ledger.entries, sessions, BUCKET);

const callsSince = (before: Calls, now: Calls): Calls => ({
  lease: now.lease - before.lease,
  all: now.all - before.all,
  waits: now.waits - before.waits,
});

/** A line a second, until it is told to end. */
async function watch(lane: Lane, counts: CallCounts, over: AbortSignal): Promise<void> {
  const beganMs = performance.now();
  let before = await counts.read();
  const reached = (second: number): Promise<boolean> => {
    const leftMs = beganMs + second * SECOND_MS - performance.now();
    return delay(Math.max(leftMs, 0), true, { signal: over }).catch(() => false);
  };
  for (let second = 1; await reached(second); second++) {
    const now = await counts.read();
    say(liveLine(second, figuresFor(lane), callsSince(before, now)));
    before = now;
  }
}

async function goWrong(
  { fault, seconds }: FleetArguments,
  fleet: Fleet,
  recovery: Recovery,
  stop: AbortSignal,
): Promise<void> {
  if (fault === null) return;
  const isThere = await delay(seconds * SECOND_MS * BEFORE_FAULT, true, { signal: stop }).catch(() => false);
  if (!isThere) return;
  say(`now ${FAULTS[fault]}`);
  await runFault(fault, fleet);
  recovery.faultOver(performance.now());
}

interface Report {
  readonly seconds: number;
  /** Of all cores, by whomever: near 1 the times of answers say how long a core was waited for. */
  readonly cpuBusy: number;
  /** Each session has been admitted again after the fault. Null: there was none. */
  readonly isBack: boolean | null;
  readonly figures: Figures;
  readonly calls: Calls;
  readonly compared: Section | undefined;
}

async function measure(wanted: FleetArguments, fleet: Fleet, stop: AbortSignal): Promise<Report> {
  const { counter, lanes } = fleet;
  const [lane] = lanes;
  const counts = new CallCounts(fleet.envoys);
  const before = await counts.read();
  const countedBefore = await counter?.calls();
  const over = new AbortController();
  const watching = watch(lane, counts, over.signal);
  const beganMs = performance.now();
  const cpuBefore = machineCpu();
  const recovery = new Recovery(lane.sessions.length);
  const broken = goWrong(wanted, fleet, recovery, stop);
  const mayEnd = (): boolean => wanted.fault === null || recovery.mayEnd(lane.ledger.entries, performance.now());
  await Promise.all([fleet.load.run(wanted.seconds * SECOND_MS, stop, mayEnd), Promise.race([broken, told(stop)])]);
  const seconds = (performance.now() - beganMs) / SECOND_MS;
  const cpuBusy = busySince(cpuBefore);
  over.abort();
  await watching;
  const after = await counts.read();
  const calls = callsSince(before, after);
  const counted = ((await counter?.calls().catch(() => NaN)) ?? 0) - (countedBefore ?? 0);
  const compared = counter === undefined ? undefined : comparisonOf(lanes, figuresFor, calls, counted);
  const isBack = wanted.fault === null ? null : recovery.isBack;
  return { seconds, cpuBusy, isBack, calls, figures: figuresFor(lane), compared };
}

function write({ json, store, fault, scope }: FleetArguments, machine: string, report: Report): void {
  if (json === null) return;
  const { compared, ...rest } = report;
  const setting = { store: STORES[store], fault, scope, machine, bucket: BUCKET };
  writeFileSync(json, `${JSON.stringify({ ...setting, ...rest, compared: compared?.figures ?? null }, null, 2)}\n`);
}

/** Resolves when it is told to stop. */
const told = async (stop: AbortSignal): Promise<undefined> => {
  if (!stop.aborted) await once(stop, "abort");
};

/** @throws Failure that names one of them */
function requireRunning({ envoys, planes }: Fleet): void {
  const ended = [...envoys, ...planes].find(({ part }) => !part.running);
  if (ended !== undefined) throw new Failure(`a process has ended by itself\n${ended.part.logTail}`);
}

/** @returns whether nothing was admitted beyond the bound */
async function main(wanted: FleetArguments, ends: Ends, stop: AbortSignal): Promise<boolean> {
  const machine = machineAtStart();
  const folder = mkdtempSync(join(tmpdir(), "sluice-fleet-"));
  say(`${machine}; logs are in ${folder}`);
  const fleet = await Promise.race([startFleet(wanted, newSite(folder, ends), say), told(stop)]);
  if (fleet === undefined) {
    await ends.all();
    rmSync(folder, { recursive: true, force: true });
    return true;
  }
  const report = await measure(wanted, fleet, stop);
  if (!stop.aborted) requireRunning(fleet);
  await ends.all();
  say(`the machine's cores were busy for ${(100 * report.cpuBusy).toFixed(0)} % of the time`);
  if (report.isBack !== null) say(`after that ${report.isBack ? "all" : "not all"} sessions were admitted again`);
  say(lastLine(report.seconds, report.figures, report.calls));
  if (report.compared !== undefined) console.log(`\n${sectionText(report.compared)}`);
  write(wanted, machine, report);
  const holds = report.figures.over === 0;
  if (holds) rmSync(folder, { recursive: true, force: true });
  return holds;
}

const ends = new Ends();
const stopping = new AbortController();
const stop = (): void => {
  stopping.abort();
};
// A terminal's Ctrl-C arrives here, and once more through npm: stopping begins once.
for (const signal of STOP_SIGNALS) process.on(signal, stop);
// Who read along has gone, as `head` does.
process.stdout.on("error", stop);

try {
  const holds = await main(fleetArguments(process.argv.slice(2)), ends, stopping.signal);
  process.exitCode = holds ? 0 : 1;
} catch (error) {
  console.error(`fleet: ${describe(error)}`);
  process.exitCode = 1;
}
await ends.all();
// Connections that are kept would hold it.
process.exit();
