// Updates in LMDB: load, decide and commit are one transaction, so that nothing can change in between.
import type { Loads, Updates } from "../../app/ports/update-ports.js";
import type { Decision } from "../../domain/changes.js";
import type { LmdbLayout } from "./layout.js";
import { loadsOf } from "./loads.js";
import type { LoadsOfLmdb } from "./loads.js";
import { writeChanges } from "./write-changes.js";

/**
 * Writes of one event turn share a commit: what a transaction wrote before it threw would be committed with the others.
 * So nothing is written before the decision stands, but for index entries that are out of date, and how far details were forgotten.
 */
export class LmdbUpdates implements Updates {
  private readonly loads: LoadsOfLmdb;

  /** @param log the id of the store's log */
  constructor(
    private readonly db: LmdbLayout,
    log: string,
  ) {
    this.loads = loadsOf(db, log);
  }

  update<Kind extends keyof Loads, Answer>(
    kind: Kind,
    wanted: Loads[Kind]["wanted"],
    decide: (found: Loads[Kind]["found"]) => Decision<Answer>,
  ): Promise<Decision<Answer>> {
    return this.db.commits.run(() => {
      const decision = decide(this.loads[kind](wanted));
      writeChanges(this.db, decision.changes);
      return decision;
    });
  }
}
