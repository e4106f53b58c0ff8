// Updates over an engine that does not lock: what was decided is committed only if all it was decided on still stands.
import { MAX_TRIES, UpdateConflict } from "../app/ports/update-ports.js";
import type { Loads, Updates } from "../app/ports/update-ports.js";
import type { Changes, Decision } from "../domain/changes.js";

/** Of each thing that was looked at, also of what is not there: it changes with each commit that changes the thing. */
export type Versions = ReadonlyMap<string, string | number>;

export interface Loaded<Found> {
  readonly found: Found;
  readonly versions: Versions;
}

export interface VersionedEngine {
  load<Kind extends keyof Loads>(kind: Kind, wanted: Loads[Kind]["wanted"]): Promise<Loaded<Loads[Kind]["found"]>>;
  /** Durable when it resolves with `committed`; with `conflict` one of the versions is another, and nothing is written. */
  commit(changes: Changes, expected: Versions): Promise<"committed" | "conflict">;
}

export class OptimisticUpdates implements Updates {
  constructor(private readonly engine: VersionedEngine) {}

  async update<Kind extends keyof Loads, Answer>(
    kind: Kind,
    wanted: Loads[Kind]["wanted"],
    decide: (found: Loads[Kind]["found"]) => Decision<Answer>,
  ): Promise<Decision<Answer>> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const { found, versions } = await this.engine.load(kind, wanted);
      const decision = decide(found);
      if ((await this.engine.commit(decision.changes, versions)) === "committed") return decision;
    }
    throw new UpdateConflict(kind);
  }
}
