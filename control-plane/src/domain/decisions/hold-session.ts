// Decides on an acquire: whether the instance that asks holds the session from now on, or the session ends by it.
import { hasEndedForGood, withActivity } from "../session.js";
import type { Session } from "../session.js";
import { unchanged } from "../changes.js";
import type { Changes, Decision } from "../changes.js";
import { allRows, withinBound } from "../former-rows.js";
import { activeSession, isSameInstance } from "../stored.js";
import type { HeldRow, Instance, LogPosition, SessionRecord, UsageRow } from "../stored.js";
import type { FleetBudget } from "../leases/fleet-budget.js";
import type { StoreLife } from "../leases/store-life.js";
import { endedForIdleness } from "./end-idle.js";

/** A session as it was looked up, all of one moment. */
export interface HoldState {
  /** Undefined if there is none. */
  readonly found: SessionRecord | undefined;
  readonly position: LogPosition;
  readonly life: StoreLife;
}

/** What is known of a session that an instance asked for, all of one moment. */
export interface Known {
  /** Undefined if there is none. */
  readonly session: Session | undefined;
  /** Every instance that holds or held it; the asker itself may be missing until it has reported. */
  readonly rows: readonly UsageRow[];
  readonly position: LogPosition;
  /** Undefined where its plan never was of fleet scope. */
  readonly budget?: FleetBudget | undefined;
}

export interface Held extends Known {
  /** unsure: nothing is written, for it is not known whether the session is idle. */
  readonly outcome: "held" | "ended" | "over" | "unsure";
}

/** hold: it is live. end: it is idle for too long. over: it is over already. unsure: whether it is idle cannot be known yet. */
export type HoldChoice = "hold" | "end" | "over" | "unsure";

export const knownOf = ({ found, position }: Pick<HoldState, "found" | "position">): Known =>
  found === undefined
    ? { session: undefined, rows: [], position }
    : { session: activeSession(found), rows: allRows(found.rows), position, budget: found.budget };

/**
 * Being acquired moves the session's last activity forward to `atMs`, never back. That is written into the instance's
 * row and not into the session too: it would be a second write an acquire
 * (docs/decisions/0031-one-write-an-acquire.md).
 */
export function decideHold(
  state: Pick<HoldState, "found" | "position">,
  asker: Instance,
  atMs: number,
  choose: (session: Session, holders: readonly Instance[]) => HoldChoice,
): Decision<Held> {
  const known = knownOf(state);
  const { session, rows } = known;
  if (state.found === undefined || session === undefined || hasEndedForGood(session)) {
    return unchanged({ ...known, outcome: "over" });
  }
  const choice = choose(session, rows);
  switch (choice) {
    case "hold":
      return {
        answer: { ...known, outcome: "held", session: withActivity(session, atMs) },
        changes: acquired(session.id, state.found.rows, asker, atMs),
      };
    case "end": {
      const ended = endedForIdleness(session, atMs);
      const change = { before: state.found.session, after: ended };
      return { answer: { ...known, outcome: "ended", session: ended }, changes: { sessions: [change] } };
    }
    case "over":
      return unchanged({ ...known, outcome: "over" });
    case "unsure":
      return unchanged({ ...known, outcome: "unsure" });
  }
}

function acquired(
  sessionId: string,
  rows: readonly HeldRow[],
  { edge, instance }: Instance,
  acquiredAtMs: number,
): Changes {
  const own = allRows(rows).find((row) => isSameInstance(row, { edge, instance }));
  if (own !== undefined && own.acquiredAtMs >= acquiredAtMs) return {};
  // With what a later version may have stored beside it.
  const next = { ...own, sessionId, edge, instance, acquiredAtMs, figures: own?.figures ?? null };
  return own !== undefined && rows.includes(own) ? { rows: [next] } : withinBound(sessionId, rows, [next]);
}
