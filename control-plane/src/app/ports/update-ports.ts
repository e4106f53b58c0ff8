// How use cases write sessions and what belongs to them: load, decide, commit.
import type { Decision } from "../../domain/changes.js";
import type { PlanChangeState } from "../../domain/decisions/change-plan.js";
import type { ConsumptionState } from "../../domain/decisions/consume-tokens.js";
import type { CreationState } from "../../domain/decisions/create-session.js";
import type { HoldState } from "../../domain/decisions/hold-session.js";
import type { LeaseState } from "../../domain/decisions/lease-tokens.js";
import type { ReportedRow } from "../../domain/decisions/reported-rows.js";
import type { ChunkState } from "../../domain/decisions/revoke-sessions.js";
import type { Peers } from "../../domain/issued-by.js";
import type { Session } from "../../domain/session.js";
import type { RevocationFilter, SessionRecord } from "../../domain/stored.js";

/** A position in the order of last activity: where the next step of a sweep goes on. */
export type ActivityCursor = readonly [atMs: number, sessionId: string];

/** `limit` is for sessions looked at; a page may hold fewer. `next` is undefined after the last one. */
export interface Page<One, Cursor> {
  readonly page: readonly One[];
  readonly next: Cursor | undefined;
}

/** Which page of a plan's sessions: the first, or the one after a cursor. */
export interface PageOfPlan<Cursor> {
  readonly planId: number;
  /** Only sessions up to this time are in it. */
  readonly untilMs: number;
  readonly after: Cursor | undefined;
  readonly limit: number;
}

/** Sessions whose ids are of a later time, in the order of their ids. */
export interface SessionsAfter {
  readonly createdAfterMs: number;
  readonly after: string | undefined;
  readonly limit: number;
}

/** The oldest sessions, up to a time. */
export interface OldestSessions {
  readonly createdBeforeMs: number;
  readonly limit: number;
}

interface Load<Wanted, Found> {
  readonly wanted: Wanted;
  readonly found: Found;
}

/** What can be loaded to decide on: what is asked for, and what is found. */
export interface Loads {
  /** By id. */
  readonly session: Load<string, HoldState>;
  /** Peers: those that the new session counts with; null where nobody counts. */
  readonly creation: Load<
    {
      readonly sessionId: string;
      readonly key: string | null;
      readonly peers: Peers | null;
    },
    CreationState
  >;
  readonly planChange: Load<{ readonly sessionId: string; readonly planId: number }, PlanChangeState>;
  readonly consumption: Load<{ readonly sessionId: string; readonly key: string | null }, ConsumptionState>;
  /**
   * The sessions of the rows by id, each with its stored rows of the same instances, or all of them where one of these
   * instances has none; unknown sessions are left out.
   */
  readonly report: Load<readonly ReportedRow[], ReadonlyMap<string, SessionRecord>>;
  /** The sessions of these ids with their rows and fleet budgets, of one moment; unknown ones are left out. */
  readonly leases: Load<readonly string[], LeaseState>;
  /** Id of the newest session that the filter means. */
  readonly newestSession: Load<RevocationFilter, string | undefined>;
  readonly revocationChunk: Load<{ readonly id: string; readonly limit: number }, ChunkState>;
  /** Sessions that have not ended for good, in the order of their last activity. */
  readonly byActivity: Load<PageOfPlan<ActivityCursor>, Page<SessionRecord, ActivityCursor>>;
  /** Sessions that have not ended for good, in the order of their creation; the cursor is a session id. */
  readonly byCreation: Load<PageOfPlan<string>, Page<Session, string>>;
  /** Whether they have ended or not; the cursor is a session id. */
  readonly createdAfter: Load<SessionsAfter, Page<Session, string>>;
  /** Of those that ended for good. */
  readonly ended: Load<OldestSessions, readonly Session[]>;
  /** Of all but those that were in an earlier page: of them nothing is known any more. */
  readonly withDetails: Load<OldestSessions, readonly Session[]>;
}

/**
 * Every write loads values, has a pure function decide what to write, and commits that on condition that all it decided
 * on still stands: durable when the promise resolves, all of it or nothing. An engine that locks does the three in one
 * transaction. Another one loads values with their versions, and on a conflict loads and decides anew, MAX_TRIES times;
 * then it rejects with UpdateConflict. `decide` may therefore be called several times, and sees nothing but its argument.
 */
export interface Updates {
  update<Kind extends keyof Loads, Answer>(
    kind: Kind,
    wanted: Loads[Kind]["wanted"],
    decide: (found: Loads[Kind]["found"]) => Decision<Answer>,
  ): Promise<Decision<Answer>>;
}

/**
 * So many writers in a row may each be first. Of n writers of one session at once the last one needs n tries, and there
 * are as many as control planes, each of which writes a session once at a time.
 */
export const MAX_TRIES = 16;

/** Nothing was written: others were first each time. */
export class UpdateConflict extends Error {
  override readonly name = "UpdateConflict";
  constructor(kind: keyof Loads, tries = MAX_TRIES) {
    super(`the store changed under ${tries} tries of an update (${kind}): nothing was written`);
  }
}

/** What happened to updates of an engine that does not lock, for whoever counts it. */
export interface UpdateMeter {
  /** Another process was first, and the update was decided anew. */
  conflicted(kind: keyof Loads): void;
  /** Others were first each time: its caller was told so. */
  gaveUp(kind: keyof Loads): void;
}
