// Every edge as an operator sees it: what it was offered, what it made of that, what its workers run, how far it is behind.
import type { LogPosition } from "../../../domain/stored.js";
import type { Violation } from "../../../domain/policy/policy.js";
import type { WatchRequest } from "../../ports/watch-ports.js";
import type { KnownInstance } from "./registry-entry.js";
import type { FilterSaid, ReceivedPolicy, TableSaid } from "../../ports/edge-ports.js";
import { edgeState, instanceState } from "./edge-status.js";
import type { EdgeState, StatusParts } from "./edge-status.js";
import { edgeWarnings } from "./edge-warnings.js";
import type { EdgeWarnings, WarningParts } from "./edge-warnings.js";

/** Of an edge, those with the latest contact: the others are former lives of an Envoy that crashes in a loop. */
const INSTANCES_SHOWN = 64;
/** Of an edge, those that reported last of each instance, beginning with the latest instance. */
const WORKERS_SHOWN = 512;
/** Of an edge, those that most workers run: an Envoy's run one or two. */
const GENERATIONS_SHOWN = 32;

/** Times are ms since the epoch; null: never, or not known. */
export interface WorkerView {
  /** Empty where an older filter does not say. */
  readonly worker: string;
  readonly source: string | null;
  /** 0 unless its policy came from a control plane. */
  readonly generation: number | null;
  readonly hash: string | null;
  readonly build: string | null;
  readonly lastReportAt: number;
}

export interface InstanceView {
  readonly instance: string;
  readonly state: EdgeState;
  readonly silentWorkers: number;
  readonly watching: boolean;
  readonly lastContactAt: number;
  /** Of its worker that is furthest behind and not gone. */
  readonly lastReportAt: number | null;
  /** Entries of the log that its table is not marked for yet; null while it follows none, or another log. */
  readonly lag: number | null;
  /** Of its session table; null where an older filter does not say. */
  readonly tableName: string | null;
  /** Where its last watch came from. */
  readonly address: string | null;
  /** By how much its clock is ahead of the control plane's; null while it does not watch, or does not say. */
  readonly clockOffsetMs: number | null;
  /** The one that reported last is the last. */
  readonly workers: readonly WorkerView[];
  /** How many more there are. */
  readonly workersLeftOut: number;
}

export type TableUse = Pick<TableSaid, "capacity" | "records">;

/** Of all instances and workers, shown or not. */
export interface EdgeSummary extends EdgeWarnings {
  readonly edge: string;
  readonly state: EdgeState;
  /** By how many fewer workers spoke within the window than there were before. */
  readonly silentWorkers: number;
  /** Generation that it is offered; null while no policy is loaded. */
  readonly published: number | null;
  /** By the instance that watched last. */
  readonly received: Pick<ReceivedPolicy, "generation" | "state"> | null;
  /** Of the policy that it has received, where it rejected that. */
  readonly violations: readonly Violation[];
  /** Generation to how many workers that spoke within the window run it; 0: one that came from no control plane. */
  readonly running: Readonly<Record<string, number>>;
  readonly filter: FilterSaid | null;
  readonly table: TableSaid | null;
  /** Of all its instances that watch, added up; null: none of them says so. */
  readonly tables: TableUse | null;
  readonly watching: boolean;
  /** Of the instance where that is latest. */
  readonly lastReportAt: number | null;
  /** Of the instance that is furthest behind among those that watch. */
  readonly lag: number | null;
}

export interface EdgeView extends EdgeSummary {
  /** More than one during a hot restart. The one with the latest contact is the last. */
  readonly instances: readonly InstanceView[];
  /** How many more there are. */
  readonly instancesLeftOut: number;
}

/** What all views of one moment share. `nowMs` is monotonic. */
export interface EdgeMoment extends StatusParts, WarningParts {
  readonly position: LogPosition;
  readonly workerGoneAfterMs: number;
}

export function edgeView(edge: string, known: readonly KnownInstance[], moment: EdgeMoment): EdgeView {
  let room = WORKERS_SHOWN;
  const instances: InstanceView[] = [];
  for (const instance of known.slice(-INSTANCES_SHOWN).reverse()) {
    const view = instanceView(instance, moment, room);
    room -= view.workers.length;
    instances.unshift(view);
  }
  return { ...edgeSummary(edge, known, moment), instances, instancesLeftOut: known.length - instances.length };
}

export function edgeSummary(edge: string, known: readonly KnownInstance[], moment: EdgeMoment): EdgeSummary {
  const last = lastWatchOf(known);
  const watching = known.filter((instance) => instance.watching);
  return {
    edge,
    state: edgeState(known, moment),
    silentWorkers: known.reduce((sum, instance) => sum + instance.silentWorkers, 0),
    published: moment.published?.generation ?? null,
    received: last?.policy === undefined ? null : { generation: last.policy.generation, state: last.policy.state },
    violations: last?.policy?.violations ?? [],
    running: runningOf(known, moment),
    filter: last?.filter ?? null,
    table: last?.table ?? null,
    tables: tablesOf(watching),
    watching: watching.length > 0,
    lastReportAt: highest(known.map((instance) => lastReportAt(instance, moment))),
    lag: highest(watching.map((instance) => lag(instance, moment))),
    ...edgeWarnings(known, moment),
  };
}

function instanceView(instance: KnownInstance, moment: EdgeMoment, room: number): InstanceView {
  const { watching, contactMs, silentWorkers, lastWatch, clock } = instance;
  const workers = workerViews(instance, moment);
  const leftOut = Math.max(0, workers.length - room);
  return {
    instance: instance.instance,
    state: instanceState(instance, moment),
    silentWorkers,
    watching,
    lastContactAt: Math.round(moment.wallMs - contactMs),
    lastReportAt: lastReportAt(instance, moment),
    lag: lag(instance, moment),
    tableName: lastWatch?.table?.name ?? null,
    address: lastWatch?.address ?? null,
    clockOffsetMs: clock && Math.round(clock.offsetMs),
    workers: workers.slice(leftOut),
    workersLeftOut: leftOut,
  };
}

/** Each instance is one table: two of different names, or of an Envoy and the one that takes its place. */
function tablesOf(watching: readonly KnownInstance[]): TableUse | null {
  const tables = watching.flatMap(({ lastWatch }) => lastWatch?.table ?? []);
  if (tables.length === 0) return null;
  return tables.reduce<TableUse>(
    (sum, { capacity, records }) => ({ capacity: sum.capacity + capacity, records: sum.records + records }),
    { capacity: 0, records: 0 },
  );
}

const lastReportAt = ({ reportAgeMs }: KnownInstance, { wallMs }: EdgeMoment): number | null =>
  reportAgeMs === null ? null : Math.round(wallMs - reportAgeMs);

const lag = ({ lastWatch }: KnownInstance, { position }: EdgeMoment): number | null =>
  lastWatch?.log === position.log ? Math.max(0, position.cursor - lastWatch.since) : null;

/** Those that are not gone: each reload of a VM leaves one behind. */
function workerViews({ workers }: KnownInstance, { nowMs, wallMs, workerGoneAfterMs }: EdgeMoment): WorkerView[] {
  return [...workers]
    .map(([worker, said]) => ({ worker, said, ageMs: nowMs - said.reportedAtMs }))
    .filter(({ ageMs }) => ageMs < workerGoneAfterMs)
    .map(({ worker, said: { runs, build }, ageMs }) => ({
      worker,
      source: runs?.source ?? null,
      generation: runs?.generation ?? null,
      hash: runs?.hash ?? null,
      build: build ?? null,
      lastReportAt: Math.round(wallMs - ageMs),
    }));
}

function runningOf(known: readonly KnownInstance[], { nowMs, windowMs }: EdgeMoment): Record<string, number> {
  const counts = new Map<number, number>();
  for (const { workers } of known) {
    for (const { runs, reportedAtMs } of workers.values()) {
      if (runs === undefined || nowMs - reportedAtMs > windowMs) continue;
      counts.set(runs.generation, (counts.get(runs.generation) ?? 0) + 1);
    }
  }
  // The lowest is what a metric and an alert go by.
  const lowest = Math.min(...counts.keys());
  const rank = ([generation, workers]: [number, number]): number => (generation === lowest ? Infinity : workers);
  const shown = [...counts].sort((one, other) => rank(other) - rank(one)).slice(0, GENERATIONS_SHOWN);
  return Object.fromEntries(shown);
}

/** Of the instance with the latest contact, among those that have watched. */
const lastWatchOf = (known: readonly KnownInstance[]): WatchRequest | undefined =>
  known.findLast(({ lastWatch, watching }) => lastWatch !== undefined && watching)?.lastWatch ??
  known.findLast(({ lastWatch }) => lastWatch !== undefined)?.lastWatch;

const highest = (values: readonly (number | null)[]): number | null =>
  values.reduce((high, value) => (value !== null && value > (high ?? -1) ? value : high), null);
