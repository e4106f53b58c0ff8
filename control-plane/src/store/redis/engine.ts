// Loads with what they looked at, and commits on condition that it still stands.
import type { Loads } from "../../app/ports/update-ports.js";
import type { Changes } from "../../domain/changes.js";
import { activeSession } from "../../domain/stored.js";
import type { Loaded, VersionedEngine, Versions } from "../optimistic-updates.js";
import { KEYS, keyOf } from "./keys.js";
import { loadsOf } from "./reading/loads.js";
import { checksOf, versionIn } from "./reading/named-reads.js";
import type { Seen } from "./reading/named-reads.js";
import { DETAILS_FORGOTTEN } from "./reading/pages.js";
import type { IndexAnew } from "./reading/pages.js";
import type { Reads } from "./reading/reads.js";
import type { Commits } from "./writing/commits.js";
import { makesRoomOrEnds } from "./writing/when-full.js";
import { operationsOf } from "./writing/write-changes.js";

export class RedisEngine implements VersionedEngine {
  private readonly loads: ReturnType<typeof loadsOf>;

  constructor(
    reads: Reads,
    private readonly commits: Commits,
  ) {
    this.loads = loadsOf(reads, {
      indexAnew: (...late) => this.indexAnew(...late),
      detailsForgotten: (upTo) => this.detailsForgotten(upTo),
    });
  }

  async load<Kind extends keyof Loads>(
    kind: Kind,
    wanted: Loads[Kind]["wanted"],
  ): Promise<Loaded<Loads[Kind]["found"]>> {
    const versions: Seen = new Map();
    return { found: await this.loads[kind](wanted, versions), versions };
  }

  async commit(changes: Changes, expected: Versions): Promise<"committed" | "conflict"> {
    const operations = operationsOf(changes, (key) => versionIn(expected, key));
    if (operations.length === 0) {
      // What was found was so at a moment of the call, and an answer without a write says no more; but it may be the
      // write of somebody who was told that no replica has it.
      await this.commits.confirmed();
      return "committed";
    }
    const whenFull = makesRoomOrEnds(changes) ? "taken" : "refused";
    return (await this.commits.run(checksOf(expected), operations, whenFull)) ? "committed" : "conflict";
  }

  /** On condition that all that was seen still stands. Where it does not, the walk meets them again. */
  private async indexAnew(...[planId, late, seen]: Parameters<IndexAnew>): Promise<void> {
    const operations = late.map((one) => {
      return ["ZADD", keyOf.active(planId), String(activeSession(one).lastActivity), one.session.id];
    });
    await this.commits.run(checksOf(seen), operations, "taken");
  }

  /** Of two processes that walk, the one that is behind walks again. */
  private async detailsForgotten(upTo: string): Promise<void> {
    await this.commits.run([], [["HSET", KEYS.meta, DETAILS_FORGOTTEN, upTo]], "taken");
  }
}
