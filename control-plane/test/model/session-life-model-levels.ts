// What buckets hold in the model of a session's life: by a rate as a fraction, and which report of a limit counts.
import type { BucketLimits } from "../../src/domain/level.js";
import type { SessionLifeModel } from "./session-life-model.js";
import type { ModelFigures, ModelLevel, ModelSession } from "./session-life-model-stored.js";

const MICRO = 1_000_000;
/** Tokens in so many ms. */
const REFILLS: Readonly<Record<string, readonly [tokens: number, ms: number]>> = {
  "600/1m": [600, 60_000],
  "10000/1d": [10_000, 86_400_000],
};

/** Microtokens now; without figures it is full. */
export function levelIn(limit: BucketLimits, figures: ModelLevel | null, nowMs: number): number {
  const full = limit.maxTokens * MICRO;
  if (figures === null) return full;
  const [tokens, ms] = limit.refill === null ? [limit.tokenRefillRate ?? 0, 1000] : (REFILLS[limit.refill] ?? [0, 1]);
  const elapsedMs = Math.max(0, nowMs - figures.atMs - 1);
  const gained = (BigInt(tokens * MICRO) * BigInt(elapsedMs)) / BigInt(ms);
  return Math.min(full, Math.max(figures.levelMicro, -full) + Number(gained));
}

/** The same of the plan's own bucket. A plan that is gone has no rate. */
export function levelOf(model: SessionLifeModel, session: ModelSession, figures: ModelLevel | null): number {
  const limit = model.planOf(session) ?? { ...session.plan, tokenRefillRate: 0, refill: null };
  return levelIn(limit, figures, model.nowMs);
}

/** By name, what is known of the session's further limits at an edge, by these figures or the edge's last that have it. */
export function limitsOf(
  model: SessionLifeModel,
  session: ModelSession,
  edge: string,
  figures: ModelFigures | null,
): ReadonlyMap<string, ModelLevel> {
  const known = new Map(figures?.limits ?? []);
  for (const { name } of model.planOf(session)?.limits ?? []) {
    const level = known.get(name) ?? model.lastReport(session, edge, name)?.figures.limits.get(name);
    if (level !== undefined) known.set(name, level);
  }
  return known;
}
