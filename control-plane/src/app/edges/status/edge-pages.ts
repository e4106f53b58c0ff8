// Edges by name, some a turn: a page of them for an operator, and all of them in short.
import { setImmediate as nextTurnOfLoop } from "node:timers/promises";

import { graceMs } from "../../../domain/idleness.js";
import type { InvalidationLog } from "../../ports/log-ports.js";
import type { PolicyPublisher } from "../../ports/policy-ports.js";
import type { Clock, CurrentPolicy } from "../../ports/ports.js";
import type { ClockOfMost } from "./edge-clocks.js";
import type { EdgeRegistry } from "./edge-registry.js";
import { edgeSummary, edgeView } from "./edge-views.js";
import type { EdgeMoment, EdgeSummary, EdgeView } from "./edge-views.js";
import type { KnownInstance } from "./registry-entry.js";
import { workerGoneAfterMs } from "./workers.js";

/** Some milliseconds, as are so many instances and workers. */
const EDGES_A_TURN = 100;
const ROWS_A_TURN = 10_000;
/** Instances and workers that a page shows, some ten megabytes of JSON: a thousand Envoys with 64 workers. */
const ROWS_A_PAGE = 65_536;

export interface EdgesParts {
  readonly instances: Pick<EdgeRegistry, "edgesAfter" | "knownOf" | "windowMs" | "clockOfMost">;
  readonly log: Pick<InvalidationLog, "position">;
  readonly policies: CurrentPolicy & Pick<PolicyPublisher, "published">;
  readonly clock: Clock;
  /** Left out, the event loop's. */
  readonly nextTurn?: () => Promise<unknown>;
}

export interface EdgePage {
  readonly edges: readonly EdgeView[];
  /** The name after which the next page begins; null after the last. */
  readonly next: string | null;
  /** Null: no need to suspect the control plane's own. */
  readonly clockOfMost: ClockOfMost | null;
}

/** An edge with an instance that is not gone. False: to look at no more. */
type Look = (edge: string, known: readonly KnownInstance[], moment: EdgeMoment) => boolean;

/**
 * By name, those whose last contact is at most minutes ago. Costs what it shows.
 * @param after the page begins after this name
 * @param limit of names; a page may show fewer edges and not be the last
 */
export async function edgesPage(parts: EdgesParts, after: string, limit: number): Promise<EdgePage> {
  const edges: EdgeView[] = [];
  let rows = 0;
  const next = await lookAt(parts, after, limit, (edge, known, moment) => {
    const view = edgeView(edge, known, moment);
    edges.push(view);
    for (const { workers } of view.instances) rows += 1 + workers.length;
    return rows < ROWS_A_PAGE;
  });
  return { edges, next, clockOfMost: sureClockOfMost(parts) };
}

/**
 * As a page, each without its instances.
 * @param each also hears how many instances and workers were looked at
 */
export function eachSummary(
  parts: EdgesParts,
  limit: number,
  each: (edge: EdgeSummary, rows: number) => void,
): Promise<string | null> {
  return lookAt(parts, "", limit, (edge, known, moment) => {
    each(edgeSummary(edge, known, moment), rowsOf(known));
    return true;
  });
}

/** The clock of most edges, where it is sure to differ from the control plane's. */
export function sureClockOfMost({ instances }: Pick<EdgesParts, "instances">): ClockOfMost | null {
  const most = instances.clockOfMost();
  return most?.isSure === true ? most : null;
}

/** All of them. */
export async function edgesNow(parts: EdgesParts): Promise<EdgeSummary[]> {
  const all: EdgeSummary[] = [];
  await eachSummary(parts, Infinity, (edge) => all.push(edge));
  return all;
}

/** Answers the name after which it was to look at no more; null where there are none after it. */
async function lookAt(parts: EdgesParts, after: string, limit: number, look: Look): Promise<string | null> {
  const { instances, nextTurn = nextTurnOfLoop } = parts;
  let last = after;
  for (let left = limit; left > 0;) {
    if (last !== after) await nextTurn();
    const { grace, ...moment } = await momentOf(parts);
    // One more than are looked at: whether there are any after them.
    const asked = Math.min(left, EDGES_A_TURN);
    const found = instances.edgesAfter(last, asked + 1);
    const names = found.slice(0, asked);
    let rows = 0;
    for (const edge of names) {
      const known = instances.knownOf(edge, grace);
      last = edge;
      left -= 1;
      if (known.length > 0 && !look(edge, known, { ...moment, published: parts.policies.published(edge) })) return last;
      rows += rowsOf(known);
      if (rows >= ROWS_A_TURN) break;
    }
    if (found.length <= asked && last === (names.at(-1) ?? last)) return null;
  }
  return last;
}

const rowsOf = (known: readonly KnownInstance[]): number =>
  known.reduce((sum, { workers }) => sum + 1 + workers.size, 0);

/** What all views of one turn share. */
async function momentOf({ instances, log, policies, clock }: EdgesParts) {
  const position = await log.position();
  const active = policies.current();
  const grace = active === undefined ? 0 : graceMs(active.policy);
  return {
    grace,
    position,
    log: position.log,
    windowMs: instances.windowMs(),
    nowMs: clock.monotonicMs(),
    wallMs: clock.nowMs(),
    workerGoneAfterMs: workerGoneAfterMs(grace),
    clockOfMost: instances.clockOfMost(),
  };
}
