// Updates over an engine that does not lock, for a process among several: what would meet in the store waits for its turn
// here, so that of each session at most as many updates contend as there are processes.
import { MAX_TRIES, UpdateConflict } from "../app/ports/update-ports.js";
import type { Loads, UpdateMeter, Updates } from "../app/ports/update-ports.js";
import type { Changes, Decision } from "../domain/changes.js";
import { SessionBatches } from "./session-batches.js";
import { Lanes } from "./lanes.js";
import { laneOfSession, lanesOf, sessionLanesOf } from "./lane-names.js";
import type { VersionedEngine } from "./optimistic-updates.js";
import { WaitingCounts } from "./waiting-counts.js";
import type { WaitingBounds } from "./waiting-counts.js";

/** Of many sessions: committed in smaller parts by whoever asked for it, and soon. */
const OF_MANY: readonly (keyof Loads)[] = ["report", "leases"];
const TRIES_OF_MANY = 4;

type Decide<Kind extends keyof Loads, Answer> = (found: Loads[Kind]["found"]) => Decision<Answer>;

/** What one try came to. On a conflict: what it would have written. */
type Tried<Answer> = { readonly answer: Answer } | { readonly missed: Changes };

/**
 * An answer is as if all updates had been made one after the other. Rejects with StoreUnwritable where too many wait, and
 * with UpdateConflict where other processes were first each time; a report, or leases, of several sessions may be asked for again
 * in parts.
 */
export class QueuedUpdates implements Updates {
  private readonly lanes = new Lanes();
  private readonly batches = new SessionBatches();
  private readonly waiting: WaitingCounts;

  constructor(
    private readonly engine: VersionedEngine,
    private readonly meter: UpdateMeter,
    bounds?: WaitingBounds,
  ) {
    this.waiting = new WaitingCounts(bounds);
  }

  async update<Kind extends keyof Loads, Answer>(
    kind: Kind,
    wanted: Loads[Kind]["wanted"],
    decide: Decide<Kind, Answer>,
  ): Promise<Decision<Answer>> {
    const lanes = lanesOf(kind, wanted);
    this.waiting.enter(lanes);
    try {
      if (kind === "session") return await this.together(wanted as string, decide as Decide<"session", Answer>);
      return await this.lanes.run(lanes, () => this.inTries(kind, wanted, decide));
    } finally {
      this.waiting.leave(lanes);
    }
  }

  /** With all others of the session that wait by the time it is its turn. */
  private together<Answer>(id: string, decide: Decide<"session", Answer>): Promise<Decision<Answer>> {
    const lane = laneOfSession(id);
    return this.batches.join(lane, decide, (decideAll, begin) => {
      return this.lanes.run([lane], () => {
        begin();
        return this.inTries("session", id, decideAll);
      });
    });
  }

  private async inTries<Kind extends keyof Loads, Answer>(
    kind: Kind,
    wanted: Loads[Kind]["wanted"],
    decide: Decide<Kind, Answer>,
  ): Promise<Decision<Answer>> {
    const isOfMany = OF_MANY.includes(kind) && lanesOf(kind, wanted).length > 1;
    const maxTries = isOfMany ? TRIES_OF_MANY : MAX_TRIES;
    let lanes: readonly string[] = [];
    for (let tries = 0; tries < maxTries; tries++) {
      const tried = await this.lanes.run(lanes, () => this.attempt(kind, smaller(wanted, tries), decide));
      if ("answer" in tried) return tried.answer;
      this.meter.conflicted(kind);
      lanes = lanesOnConflict(kind, tried.missed);
    }
    if (!isOfMany) this.meter.gaveUp(kind);
    throw new UpdateConflict(kind, maxTries);
  }

  private async attempt<Kind extends keyof Loads, Answer>(
    kind: Kind,
    wanted: Loads[Kind]["wanted"],
    decide: Decide<Kind, Answer>,
  ): Promise<Tried<Decision<Answer>>> {
    const { found, versions } = await this.engine.load(kind, wanted);
    const decision = decide(found);
    const outcome = await this.engine.commit(decision.changes, versions);
    return outcome === "committed" ? { answer: decision } : { missed: decision.changes };
  }
}

/** A page that others wrote into is loaded with half as many each time: in the end with one. */
function smaller<Wanted>(wanted: Wanted, tries: number): Wanted {
  if (typeof wanted !== "object" || wanted === null || !("limit" in wanted)) return wanted;
  return { ...wanted, limit: Math.max(1, Math.floor(Number(wanted.limit) / 2 ** tries)) };
}

/**
 * What is tried again waits for its turn with the sessions that it would have written: a session that is written all the
 * time here would be first each time. What waits for sessions already takes no more, or two could wait for each other.
 */
function lanesOnConflict(kind: keyof Loads, missed: Changes): readonly string[] {
  const waitsForSessions: readonly (keyof Loads)[] = ["session", "consumption", "planChange", ...OF_MANY];
  return waitsForSessions.includes(kind) ? [] : sessionLanesOf(missed);
}
