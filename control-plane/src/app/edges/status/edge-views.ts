// Every edge as an operator sees it: what it was offered, what it made of that, what its workers run, how far it is behind.
import { setImmediate as nextTurnOfLoop } from "node:timers/promises";

import type { LogPosition } from "../../../domain/stored.js";
import { graceMs } from "../../../domain/idleness.js";
import type { Violation } from "../../../domain/policy/policy.js";
import type { InvalidationLog } from "../../ports/log-ports.js";
import type { PolicyPublisher } from "../../ports/policy-ports.js";
import type { Clock, CurrentPolicy } from "../../ports/ports.js";
import type { WatchRequest } from "../../ports/watch-ports.js";
import type { EdgeRegistry } from "./edge-registry.js";
import type { KnownInstance } from "./registry-entry.js";
import type { FilterSaid, ReceivedPolicy, TableSaid } from "../../ports/edge-ports.js";
import { edgeState, instanceState } from "./edge-status.js";
import type { EdgeState, StatusParts } from "./edge-status.js";
import { workerGoneAfterMs } from "./workers.js";

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
  readonly workers: readonly WorkerView[];
}

export interface EdgeView {
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
  readonly watching: boolean;
  /** Of the instance where that is latest. */
  readonly lastReportAt: number | null;
  /** Of the instance that is furthest behind among those that watch. */
  readonly lag: number | null;
  /** More than one during a hot restart. The one with the latest contact is the last. */
  readonly instances: readonly InstanceView[];
}

export interface EdgesParts {
  readonly instances: Pick<EdgeRegistry, "edgesAfter" | "knownOf" | "windowMs">;
  readonly log: Pick<InvalidationLog, "position">;
  readonly policies: CurrentPolicy & Pick<PolicyPublisher, "published">;
  readonly clock: Clock;
}

/** What all views of one moment share. `nowMs` is monotonic. */
interface Moment extends Omit<StatusParts, "published"> {
  readonly position: LogPosition;
  /** ms since the epoch. */
  readonly wallMs: number;
  readonly workerGoneAfterMs: number;
}

export interface EdgePage {
  readonly edges: readonly EdgeView[];
  /** The name after which the next page begins; null after the last. */
  readonly next: string | null;
}

/**
 * By name, those whose last contact is at most minutes ago. Costs what it shows.
 * @param after the page begins after this name
 * @param limit of names; a page may show fewer edges and not be the last
 */
export async function edgesPage(parts: EdgesParts, after: string, limit: number): Promise<EdgePage> {
  const { instances, log, policies, clock } = parts;
  const position = await log.position();
  const active = policies.current();
  const grace = active === undefined ? 0 : graceMs(active.policy);
  const moment: Moment = {
    position,
    log: position.log,
    windowMs: instances.windowMs(),
    nowMs: clock.monotonicMs(),
    wallMs: clock.nowMs(),
    workerGoneAfterMs: workerGoneAfterMs(grace),
  };
  const names = instances.edgesAfter(after, limit);
  const edges = names.flatMap((edge): EdgeView[] => {
    const known = instances.knownOf(edge, grace);
    return known.length === 0 ? [] : [edgeView(edge, known, { ...moment, published: policies.published(edge) })];
  });
  return { edges, next: names.length < limit ? null : (names.at(-1) ?? null) };
}

/** Some milliseconds. */
const EDGES_A_TURN = 100;

/** All edges, some a turn. */
export async function eachPage(
  parts: EdgesParts,
  nextTurn: () => Promise<unknown>,
  each: (edges: readonly EdgeView[]) => void,
): Promise<void> {
  for (let after: string | null = ""; after !== null;) {
    const { edges, next }: EdgePage = await edgesPage(parts, after, EDGES_A_TURN);
    each(edges);
    after = next;
    if (after !== null) await nextTurn();
  }
}

/** All of them. */
export async function edgesNow(parts: EdgesParts): Promise<EdgeView[]> {
  const all: EdgeView[] = [];
  await eachPage(parts, nextTurnOfLoop, (edges) => all.push(...edges));
  return all;
}

function edgeView(edge: string, known: readonly KnownInstance[], moment: Moment & StatusParts): EdgeView {
  const last = lastWatchOf(known);
  const shown = known.map((instance) => instanceView(instance, moment));
  return {
    edge,
    state: edgeState(known, moment),
    silentWorkers: shown.reduce((sum, { silentWorkers }) => sum + silentWorkers, 0),
    published: moment.published?.generation ?? null,
    received: last?.policy === undefined ? null : { generation: last.policy.generation, state: last.policy.state },
    violations: last?.policy?.violations ?? [],
    running: runningOf(known, moment),
    filter: last?.filter ?? null,
    table: last?.table ?? null,
    watching: shown.some(({ watching }) => watching),
    lastReportAt: highest(shown.map(({ lastReportAt }) => lastReportAt)),
    lag: highest(shown.filter(({ watching }) => watching).map(({ lag }) => lag)),
    instances: shown,
  };
}

function instanceView(instance: KnownInstance, moment: Moment & StatusParts): InstanceView {
  const { watching, contactMs, reportAgeMs, lastWatch, silentWorkers } = instance;
  const { wallMs, position } = moment;
  return {
    instance: instance.instance,
    state: instanceState(instance, moment),
    silentWorkers,
    watching,
    lastContactAt: Math.round(wallMs - contactMs),
    lastReportAt: reportAgeMs === null ? null : Math.round(wallMs - reportAgeMs),
    lag: lastWatch?.log === position.log ? Math.max(0, position.cursor - lastWatch.since) : null,
    workers: workerViews(instance, moment),
  };
}

/** Those that are not gone: each reload of a VM leaves one behind. */
function workerViews({ workers }: KnownInstance, { nowMs, wallMs, workerGoneAfterMs }: Moment): WorkerView[] {
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

function runningOf(known: readonly KnownInstance[], { nowMs, windowMs }: Moment): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { workers } of known) {
    for (const { runs, reportedAtMs } of workers.values()) {
      if (runs === undefined || nowMs - reportedAtMs > windowMs) continue;
      counts[runs.generation] = (counts[runs.generation] ?? 0) + 1;
    }
  }
  return counts;
}

/** Of the instance with the latest contact, among those that have watched. */
const lastWatchOf = (known: readonly KnownInstance[]): WatchRequest | undefined =>
  known.findLast(({ lastWatch, watching }) => lastWatch !== undefined && watching)?.lastWatch ??
  known.findLast(({ lastWatch }) => lastWatch !== undefined)?.lastWatch;

const highest = (values: readonly (number | null)[]): number | null =>
  values.reduce((high, value) => (value !== null && value > (high ?? -1) ? value : high), null);
