// What the use cases need of the store for usage: what edges spent, who holds which session, and ends for idleness.
import type { Session } from "../../domain/session.js";
import type { LogPosition } from "./ports.js";

/** One life of an edge's session table. */
export interface Instance {
  readonly edge: string;
  readonly instance: string;
}

/** What an instance last reported of a session. Absolute, and ordered by `rev`. */
export interface Figures {
  readonly rev: number;
  /** Tokens spent there, in all. */
  readonly consumed: number;
  /** Microtokens in the bucket at `atMs`; below 0 it owes. */
  readonly levelMicro: number;
  /** When the last request was admitted there, ms since the epoch. */
  readonly atMs: number;
  /** When the report came, ms since the epoch. */
  readonly reportedAtMs: number;
}

/** A session at an instance that has acquired it. `figures` is null until the first report. */
export interface UsageRow extends Instance {
  readonly figures: Figures | null;
}

export interface ReportedRow extends Instance, Figures {
  readonly sessionId: string;
}

/** What is known of a session that an instance asked for, all of one moment. */
export interface Held {
  /** Whether the instance holds it now. */
  readonly held: boolean;
  /** Undefined if there is none. */
  readonly session: Session | undefined;
  /** Every instance that holds or held it; the asker itself may be missing until it has reported. */
  readonly rows: readonly UsageRow[];
  /** The log's: the session is as all entries up to here have made it, and no later one. */
  readonly position: LogPosition;
}

/** What became of a session by the rows about it. */
export interface ReportedSession {
  /** As it now is; undefined if there is none of this id: its rows are passed over. */
  readonly session: Session | undefined;
  /** Tokens that were not known of before. */
  readonly consumed: number;
}

/** Plan id to the tokens that its sessions may consume in all; plans without a budget are left out. */
export type Budgets = ReadonlyMap<number, number>;

export interface Consumption {
  readonly count: number;
  /** The client's `Idempotency-Key`, null for none. */
  readonly key: string | null;
  /** A key that is older counts as new. */
  readonly keptSinceMs: number;
  readonly atMs: number;
  readonly budgets: Budgets;
  readonly isLive: (session: Session) => boolean;
}

/** Tokens: what the session may consume in all, and has consumed. */
export interface BudgetState {
  readonly budget: number;
  readonly consumed: number;
}

export type ConsumeOutcome =
  /** `repeated`: the key has done it before; the figures are those of then. */
  | ({ readonly outcome: "consumed" | "repeated"; readonly session: Session } & BudgetState)
  /** Nothing is taken. */
  | ({ readonly outcome: "overBudget" } & BudgetState)
  | { readonly outcome: "unknown" | "ended" | "noBudget" | "keyReused" };

/** A position in the order of last activity: where the next step of a sweep goes on. */
export type ActivityCursor = readonly [atMs: number, sessionId: string];

export interface IdleStep {
  readonly planId: number;
  /** Only sessions indexed under this time or before are looked at. */
  readonly untilMs: number;
  readonly after: ActivityCursor | undefined;
  readonly limit: number;
  readonly atMs: number;
  /** Whether the session is idle for too long, given the instances that hold it. More of these never make it so. */
  readonly isIdle: (session: Session, holders: readonly Instance[]) => boolean;
}

export interface ExpiryStep {
  readonly planId: number;
  /** Only sessions created at this time or before are looked at. */
  readonly untilMs: number;
  /** A session id. */
  readonly after: string | undefined;
  readonly limit: number;
  readonly isExpired: (session: Session) => boolean;
}

/** `limit` is for sessions looked at; a step may end earlier. `next` is undefined after the last one. */
export interface Swept<Cursor> {
  readonly sessions: readonly Session[];
  readonly next: Cursor | undefined;
}

/** Each write is one transaction, durable when its promise resolves. Functions passed in are pure. */
export interface UsageStore {
  /**
   * Takes rows whose rev is higher than that of the row before it, and passes over the others. `tokens.consumed` stays
   * the sum over instances and what `consume` took; lastActivity moves forward, but not of a session that has ended
   * for good. A session that reaches its budget enters the log as `refresh`, once a budget. By session id.
   */
  report(rows: readonly ReportedRow[], budgets: Budgets): Promise<ReadonlyMap<string, ReportedSession>>;
  /**
   * Notes that the instance holds the session from now on, which moves lastActivity forward to `atMs`, never back: unless
   * the session has ended for good or `mayHold` says no of it. What it answers is as young as can be: an edge takes no
   * answer that is older than what it has received of the log.
   */
  hold(
    sessionId: string,
    holder: Instance,
    atMs: number,
    mayHold: (session: Session, holders: readonly Instance[]) => boolean,
  ): Promise<Held>;
  /** Every instance that holds or held the session. */
  rowsOf(sessionId: string): Promise<readonly UsageRow[]>;
  /** Takes `count` tokens from the session's budget, all or none of them, once a key. */
  consume(sessionId: string, consumption: Consumption): Promise<ConsumeOutcome>;
  /** Drops at most `limit` keys of consumptions that are older. Answers how many: 0 if none is left. */
  forgetConsumptions(beforeMs: number, limit: number): Promise<number>;
  /**
   * Ends the session for idleness if `isIdle` says so of it as it then is; never enters the log. Answers the session
   * as it then is, and whether this has ended it; undefined if there is none.
   */
  endIfIdle(
    sessionId: string,
    atMs: number,
    isIdle: IdleStep["isIdle"],
  ): Promise<{ readonly newly: boolean; readonly session: Session } | undefined>;
  /** The plans, by id, that stored sessions have. */
  plansInUse(): Promise<readonly number[]>;
  /** Ends idle sessions of a plan, the longest idle first. Answers those it ended. */
  endIdle(step: IdleStep): Promise<Swept<ActivityCursor>>;
  /** Removes sessions of a plan that are past their lifetime, the oldest first, with all that belongs to them. */
  removeExpired(step: ExpiryStep): Promise<Swept<string>>;
  /** Removes at most `limit` sessions that ended for good and were created before. Answers how many: 0 if none is left. */
  removeEnded(createdBeforeMs: number, limit: number): Promise<number>;
}

/** taken: rows that are durable now, also those passed over. refused: too much waited to be written. */
export type ReportOutcome = "accepted" | "rejected";

/** What happened to usage, for whoever counts it. */
export interface UsageMeter {
  reported(outcome: ReportOutcome, rows: number): void;
  /** @param plan its name */
  tokensConsumed(plan: string, tokens: number): void;
  swept(removed: number, durationMs: number): void;
}
