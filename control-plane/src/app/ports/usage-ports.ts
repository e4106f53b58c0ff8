// What the use cases read of the store for usage: what edges spent, who holds which session.
import type { DroppedRow } from "../../domain/decisions/reported-rows.js";
import type { HoldState } from "../../domain/decisions/hold-session.js";
import type { UsageRow } from "../../domain/stored.js";

export interface UsageStore {
  /** The session as it is now with its rows and the log's position, all of one moment. */
  look(sessionId: string): Promise<HoldState>;
  /** Every instance that holds or held the session. */
  rowsOf(sessionId: string): Promise<readonly UsageRow[]>;
  /** The plans, by id, that stored sessions have. */
  plansInUse(): Promise<readonly number[]>;
  /** Drops at most `limit` keys of consumptions that are older. Answers how many: 0 if none is left. */
  forgetConsumptions(beforeMs: number, limit: number): Promise<number>;
}

/** accepted: rows that are durable now, also those passed over. rejected: too much waited to be written. */
export type ReportOutcome = "accepted" | "rejected";

/** What happened to usage, for whoever counts it. */
export interface UsageMeter {
  reported(outcome: ReportOutcome, rows: number): void;
  /** @param plan its name */
  tokensConsumed(plan: string, tokens: number): void;
  rowDropped(reason: DroppedRow["reason"]): void;
  swept(removed: number, durationMs: number): void;
}
