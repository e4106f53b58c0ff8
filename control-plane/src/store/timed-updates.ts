// How long updates take, whatever the engine: from the wait for their turn to the commit, and where they fail to that.
import type { Clock } from "../app/ports/ports.js";
import type { Loads, Updates } from "../app/ports/update-ports.js";
import type { Decision } from "../domain/changes.js";

/** What an engine's updates are made through. */
export type UpdatesAround = (updates: Updates) => Updates;

export type UpdateTook = (kind: keyof Loads, ms: number) => void;

export class TimedUpdates implements Updates {
  constructor(
    private readonly updates: Updates,
    private readonly clock: Pick<Clock, "monotonicMs">,
    private readonly took: UpdateTook,
  ) {}

  async update<Kind extends keyof Loads, Answer>(
    kind: Kind,
    wanted: Loads[Kind]["wanted"],
    decide: (found: Loads[Kind]["found"]) => Decision<Answer>,
  ): Promise<Decision<Answer>> {
    const sinceMs = this.clock.monotonicMs();
    try {
      return await this.updates.update(kind, wanted, decide);
    } finally {
      this.took(kind, this.clock.monotonicMs() - sinceMs);
    }
  }
}
