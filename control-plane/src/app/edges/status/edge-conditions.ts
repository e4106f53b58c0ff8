// Writes to the log when something is wrong with an edge: once when it begins, and once when it ends.
import { offsetWords, signedSeconds } from "../../../domain/clock-offset.js";
import type { Timers } from "../../ports/log-ports.js";
import type { Clock, Logger } from "../../ports/ports.js";
import type { ClockOfMost } from "./edge-clocks.js";
import type { EdgeState } from "./edge-status.js";
import type { EdgeSummary } from "./edge-views.js";

const EVERY_MS = 5_000;
/** So late, this process itself was stopped, and has not read yet what edges sent meanwhile. */
const STOOD_STILL_MS = 15_000;

/** What the log says when a state begins. waiting and current are as it should be. */
const WORDS: Readonly<Partial<Record<EdgeState, string>>> = {
  rejected: "rejects the published policy and runs the one before",
  trapped: "could not try the published policy, whose check ended the filter's VM; it runs the one before",
  behind: "has not taken the published policy for longer than it should",
  olderFilter: "runs an older filter, which takes no policy from the control plane",
  notFollowing: "runs the policy of its own settings, which say that it follows no control plane",
  silent: "is silent: it neither watches nor reports",
};

/** Something that has begun at an edge; another `key` is another one. */
interface Condition {
  readonly key: string;
  readonly words: string;
  /** As the edge's settings want it: nothing is wrong. */
  readonly wanted: boolean;
  readonly fields: object;
}

export interface ConditionParts {
  readonly edges: () => Promise<readonly EdgeSummary[]>;
  /** Where it is sure to differ from the control plane's. */
  readonly clockOfMost: () => ClockOfMost | null;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Looks each few seconds. Returns how to end that. */
export function startEdgeConditions(parts: ConditionParts): () => void {
  const conditions = new EdgeConditions(parts);
  let stopped = false;
  let cancel = (): void => undefined;
  const next = (): void => {
    cancel = parts.timers.after(EVERY_MS, () => {
      void conditions.look().finally(() => {
        if (!stopped) next();
      });
    });
  };
  next();
  return () => {
    stopped = true;
    cancel();
  };
}

export class EdgeConditions {
  /** By edge, then by name. */
  private begun = new Map<string, ReadonlyMap<string, Condition>>();
  /** That the control plane's clock is not that of most edges. */
  private clockDiffers = false;
  private lookedAtMs: number;

  constructor(private readonly parts: Omit<ConditionParts, "timers">) {
    this.lookedAtMs = parts.clock.monotonicMs();
  }

  async look(): Promise<void> {
    const { clock, edges, logger, clockOfMost } = this.parts;
    const nowMs = clock.monotonicMs();
    const stoodStill = nowMs - this.lookedAtMs > STOOD_STILL_MS;
    this.lookedAtMs = nowMs;
    if (stoodStill) return;
    this.compareClock(clockOfMost());
    try {
      this.compare(await edges());
    } catch (error) {
      logger.error({ event: "edges-failed", error: String(error) }, "the state of the edges could not be read");
    }
  }

  private compare(views: readonly EdgeSummary[]): void {
    const present = new Map<string, ReadonlyMap<string, Condition>>();
    for (const view of views) {
      const now = conditionsOf(view);
      const before = this.begun.get(view.edge);
      for (const [name, condition] of before ?? []) {
        if (now.get(name)?.key !== condition.key) this.ended(view.edge, name, condition, `it is now ${view.state}`);
      }
      for (const [name, condition] of now) {
        if (before?.get(name)?.key !== condition.key) this.began(view.edge, name, condition);
      }
      if (now.size > 0) present.set(view.edge, now);
    }
    const listed = new Set(views.map(({ edge }) => edge));
    for (const [edge, before] of this.begun) {
      if (listed.has(edge)) continue;
      for (const [name, condition] of before) this.ended(edge, name, condition, "it is gone, and no longer listed");
    }
    this.begun = present;
  }

  private compareClock(most: ClockOfMost | null): void {
    const differs = most !== null;
    if (differs === this.clockDiffers) return;
    this.clockDiffers = differs;
    const line = { event: "clock-differs", begins: differs };
    if (most === null) {
      this.parts.logger.info(line, "no longer: the clocks of most edges differ from this control plane's");
      return;
    }
    const { offsetMs, edges } = most;
    const words = `the clocks of ${edges} edges, most of all, agree and are ${offsetWords(offsetMs)} this control plane's`;
    this.parts.logger.warn(
      { ...line, offsetMs: Math.round(offsetMs), edges },
      `${words} (${signedSeconds(offsetMs)}): see that this machine's time is right`,
    );
  }

  private began(edge: string, condition: string, { words, wanted, fields }: Condition): void {
    const line = { event: "edge-condition", edge, condition, begins: true, ...fields };
    if (wanted) this.parts.logger.info(line, `edge ${edge} ${words}`);
    else this.parts.logger.warn(line, `edge ${edge} ${words}`);
  }

  private ended(edge: string, condition: string, { words }: Condition, now: string): void {
    const line = { event: "edge-condition", edge, condition, begins: false };
    this.parts.logger.info(line, `no longer: edge ${edge} ${words}; ${now}`);
  }
}

function conditionsOf(view: EdgeSummary): Map<string, Condition> {
  const conditions = new Map<string, Condition>();
  const { state, silentWorkers, published, running, violations, filter } = view;
  const words = WORDS[state];
  if (words !== undefined) {
    const aboutPolicy = state === "rejected" || state === "trapped";
    const fields = {
      published,
      running,
      ...(state === "rejected" ? { violations } : {}),
      ...(aboutPolicy && filter !== null ? { build: filter.build } : {}),
    };
    const key = aboutPolicy ? `${state} ${published ?? 0}` : state;
    conditions.set(state, { key, words, wanted: state === "notFollowing", fields });
  }
  if (silentWorkers > 0) {
    const many = "has workers that no longer report: each of them may serve without the filter";
    conditions.set("silentWorkers", { key: "", words: many, wanted: false, fields: { silentWorkers } });
  }
  const { double, clockOff, clockOffsetMs } = view;
  if (double !== null) {
    const { tableName, addresses } = double;
    const words = `is two Envoys with one node.id: both watch, of table ${tableName}${fromWhere(addresses)}`;
    conditions.set("double", { key: tableName, words, wanted: false, fields: { tableName, addresses } });
  }
  if (clockOff && clockOffsetMs !== null) {
    const words = `has a clock that is ${offsetWords(clockOffsetMs)} the control plane's (${signedSeconds(clockOffsetMs)})`;
    conditions.set("clock", { key: "", words, wanted: false, fields: { clockOffsetMs } });
  }
  return conditions;
}

const fromWhere = (addresses: readonly string[]): string =>
  addresses.length === 0 ? "" : `, from ${addresses.join(" and ")}`;
