// Every edge as an operator sees it: what it was sent, what it runs by its own word, and how far it is behind.
import { graceMs } from "../domain/idleness.js";
import type { EdgeInstances, KnownInstance } from "./edge-instances.js";
import type { WithdrawalLog } from "./log-ports.js";
import type { Clock, CurrentPolicy, LogPosition } from "./ports.js";
import type { EdgeRollout, Refusal, Rollout } from "./rollout.js";
import type { WatchWord } from "./watchers.js";
import type { Watches } from "./watches.js";

/**
 * applied: the filter says that it runs the last push. waiting, refused, accepted: what Envoy answered to it, and the
 * filter has not said anything since. notApplied: Envoy accepted it, and the filter says that it runs another policy.
 */
export type RolloutState = "unknown" | "waiting" | "refused" | "accepted" | "notApplied" | "applied";

/** Times are ms since the epoch; null: never, or not known. */
export interface InstanceView {
  readonly instance: string;
  readonly watching: boolean;
  readonly lastHeardAt: number;
  /** Of its worker that is furthest behind and not gone. */
  readonly lastReportAt: number | null;
  /** What it says that it runs. */
  readonly generation: number | null;
  readonly policyHash: string | null;
  /** Entries of the log that its table is not marked for yet; null while it follows none, or another log. */
  readonly lag: number | null;
}

export interface EdgeView {
  readonly edge: string;
  readonly streams: number;
  readonly state: RolloutState;
  /** Generations. */
  readonly sent: number | null;
  readonly acknowledged: number | null;
  readonly running: number | null;
  readonly refused: Pick<Refusal, "generation" | "reason" | "atMs"> | null;
  readonly watching: boolean;
  /** Of the instance where that is latest. */
  readonly lastReportAt: number | null;
  /** Of the instance that is furthest behind among those that watch. */
  readonly lag: number | null;
  /** More than one during a hot restart. The one heard of last is the last. */
  readonly instances: readonly InstanceView[];
}

export interface EdgesParts {
  readonly rollout: Rollout;
  readonly instances: Pick<EdgeInstances, "known">;
  readonly watches: Pick<Watches, "lastOf">;
  readonly log: Pick<WithdrawalLog, "position">;
  /** How long a worker may be silent. */
  readonly policies: CurrentPolicy;
  readonly clock: Clock;
}

/** By name, those with a stream and those that were heard of within the last minutes. */
export async function edgesNow(parts: EdgesParts): Promise<EdgeView[]> {
  const { rollout, instances, watches, log, policies, clock } = parts;
  const position = await log.position();
  const nowMs = clock.nowMs();
  const byName = new Map<string, KnownInstance[]>(rollout.edges().map(({ edge }) => [edge, []]));
  const active = policies.current();
  for (const instance of instances.known(active === undefined ? 0 : graceMs(active.policy))) {
    const others = byName.get(instance.edge);
    if (others === undefined) byName.set(instance.edge, [instance]);
    else others.push(instance);
  }
  const names = [...byName.keys()].sort();
  return names.map((edge) => {
    const known = byName.get(edge) ?? [];
    const words = known.map((instance) => watches.lastOf(instance));
    const shown = known.map((instance, i) => instanceView(instance, words[i], position, nowMs));
    return edgeView(edge, rollout.edge(edge), newestOf(words), shown);
  });
}

function instanceView(
  { instance, watching, silentMs, reportAgeMs }: KnownInstance,
  word: WatchWord | undefined,
  { log, cursor }: LogPosition,
  nowMs: number,
): InstanceView {
  return {
    instance,
    watching,
    lastHeardAt: Math.round(nowMs - silentMs),
    lastReportAt: reportAgeMs === null ? null : Math.round(nowMs - reportAgeMs),
    generation: word?.generation ?? null,
    policyHash: word?.policyHash ?? null,
    lag: word?.log === log ? Math.max(0, cursor - word.since) : null,
  };
}

function edgeView(
  edge: string,
  rollout: EdgeRollout | undefined,
  word: WatchWord | undefined,
  instances: readonly InstanceView[],
): EdgeView {
  const refusal = rollout?.refusal ?? null;
  return {
    edge,
    streams: rollout?.streams ?? 0,
    state: stateOf(rollout, word),
    sent: rollout?.sent?.generation ?? null,
    acknowledged: rollout?.running ?? null,
    running: word?.generation ?? null,
    refused: refusal && { generation: refusal.generation, reason: refusal.reason, atMs: refusal.atMs },
    watching: instances.some(({ watching }) => watching),
    lastReportAt: highest(instances.map(({ lastReportAt }) => lastReportAt)),
    lag: highest(instances.filter(({ watching }) => watching).map(({ lag }) => lag)),
    instances,
  };
}

/** The filter's word counts most; Envoy acknowledges also what it does not apply (docs/edge-protocol.md). */
function stateOf(rollout: EdgeRollout | undefined, word: WatchWord | undefined): RolloutState {
  const last = rollout?.pushed.at(-1);
  if (rollout === undefined || last === undefined) return "unknown";
  if (word?.policyHash === last.policyHash && word.generation === last.generation) return "applied";
  if (rollout.state !== "running") return rollout.state;
  const saidSince = word !== undefined && word.atMs > (rollout.acceptedAtMs ?? 0);
  return saidSince ? "notApplied" : "accepted";
}

const newestOf = (words: readonly (WatchWord | undefined)[]): WatchWord | undefined =>
  words.reduce((newest, word) => (word !== undefined && word.atMs >= (newest?.atMs ?? 0) ? word : newest), undefined);

const highest = (values: readonly (number | null)[]): number | null =>
  values.reduce((high, value) => (value !== null && value > (high ?? -1) ? value : high), null);
