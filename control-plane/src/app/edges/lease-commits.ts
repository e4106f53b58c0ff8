// Group commit of asks for leases, and what is counted of each commit.
import { decideLeases } from "../../domain/decisions/lease-tokens.js";
import type { LeasedSession, LeaseState, LeaseTerms, SessionAsk } from "../../domain/decisions/lease-tokens.js";
import type { FleetBudget } from "../../domain/leases/fleet-budget.js";
import { planById } from "../../domain/plan.js";
import type { Session } from "../../domain/session.js";
import type { FleetNow, LeaseMeter } from "../ports/lease-ports.js";
import type { CurrentPolicy, Logger, SteadyClock } from "../ports/ports.js";
import type { Requests } from "../ports/tracing-ports.js";
import type { Updates } from "../ports/update-ports.js";
import { DroppedAsks } from "./dropped-asks.js";
import { GroupCommits } from "./group-commits.js";
import type { Became } from "./group-commits.js";
import { liveForEdges } from "./session-ends.js";

/** As many as one call may have: each is a session that is read and written. */
const MAX_ASKS_A_COMMIT = 256;
/** Past it a call is denied. An edge waits for no answer longer than a second: what waits behind these would come too late. */
const MAX_WAITING_ASKS = 16_384;

export type LeaseCommits = GroupCommits<SessionAsk, LeasedSession>;

export interface LeasePartsGiven {
  readonly updates: Updates;
  readonly policies: CurrentPolicy;
  readonly clock: SteadyClock;
  readonly fleetClock: FleetNow;
  readonly meter: LeaseMeter;
  readonly logger: Logger;
  readonly requests?: Requests;
}

/** What use cases need for leases. */
export interface LeasePorts {
  readonly leases: LeaseCommits;
  readonly fleetClock: FleetNow;
  readonly leaseMeter: LeaseMeter;
  readonly droppedAsks: DroppedAsks;
}

/** As they stand over a store: leases by the policy in force, asks counted. */
export function leasePorts(given: LeasePartsGiven): LeasePorts {
  const { updates, policies, clock, fleetClock, meter, logger, requests } = given;
  const write = async (asks: readonly SessionAsk[]): Promise<Became<LeasedSession>> => {
    const ids = [...new Set(asks.map(({ sessionId }) => sessionId))];
    const terms = leaseTerms({ policies, clock, fleetClock });
    const decide = (state: LeaseState) => {
      for (const { budget } of state.found.values()) learnClocks(fleetClock, budget);
      return decideLeases(state, asks, terms);
    };
    return (await updates.update("leases", ids, decide)).answer;
  };
  const onCommit = (committed: Became<LeasedSession>): void => {
    for (const one of committed.values()) noteLeased({ fleetClock, leaseMeter: meter }, one);
  };
  const thatCount = (asks: readonly SessionAsk[]): readonly SessionAsk[] => asks;
  const bounds = { maxRowsACommit: MAX_ASKS_A_COMMIT, maxWaitingRows: MAX_WAITING_ASKS };
  const leases = new GroupCommits({ write, onCommit, thatCount, inPart: true, ...bounds, requests });
  const droppedAsks = new DroppedAsks({ clock, logger, meter });
  return { leases, fleetClock, leaseMeter: meter, droppedAsks };
}

/**
 * By which leases are decided now. To be called before the store is read: what that has of the fleet clock then counts where it
 * is later, so it does not matter how long this process stood in between.
 */
export function leaseTerms({
  policies,
  clock,
  fleetClock,
}: Pick<LeasePartsGiven, "policies" | "clock" | "fleetClock">): LeaseTerms {
  const policy = policies.current()?.policy;
  const isLive = liveForEdges(policies, clock);
  const planOf = (session: Session) => {
    const plan = policy && planById(policy, session.plan.id);
    return plan?.scope === "fleet" && isLive(session) ? plan : undefined;
  };
  return { clock: fleetClock.now(), wallMs: clock.nowMs(), planOf };
}

/** What a budget that was read says of other control planes' clocks. To be called before it is decided on. */
export function learnClocks(fleetClock: FleetNow, budget: FleetBudget | undefined): void {
  if (budget === undefined) return;
  for (const { near = {} } of Object.values(budget.levels)) {
    for (const [by, found] of Object.entries(near)) fleetClock.learn(budget.log, by, found);
  }
}

/** Once, when what was decided is durable. */
export function noteLeased(
  { fleetClock, leaseMeter }: Pick<LeasePorts, "fleetClock" | "leaseMeter">,
  { log, leased, budget }: LeasedSession,
): void {
  for (const { outcome, moved } of leased) leaseMeter.leased(outcome, moved);
  if (budget !== undefined) fleetClock.see(log, budget.atMs);
}
