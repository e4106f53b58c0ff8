// Generations that edges have received and this process does not know: the store is read again, seldom, and it is said.
import type { Clock, Logger } from "../ports/ports.js";

/** Each edge shows with each watch what it has received: the store is not read, nor the log written, for each of them. */
const LOOK_AGAIN_MS = 60_000;

export interface ShownGenerationsParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly inForce: () => number;
  /** Takes the store's policy where its generation is higher. Answers the store's generation. */
  readonly takeStored: () => Promise<number>;
  readonly sayFailed: (error: unknown) => void;
}

export class ShownGenerations {
  private looking: Promise<void> | undefined;
  /** The last generation that an edge has received and the store did not give, and when that was looked for. */
  private missing = { generation: 0, atMs: 0 };

  constructor(private readonly parts: ShownGenerationsParts) {}

  shown(generation: number): void {
    const { clock, inForce } = this.parts;
    if (generation <= inForce()) return;
    const { missing } = this;
    if (generation <= missing.generation && clock.monotonicMs() - missing.atMs < LOOK_AGAIN_MS) return;
    this.looking ??= this.look(generation).finally(() => {
      this.looking = undefined;
    });
  }

  private async look(shown: number): Promise<void> {
    const { clock, logger, inForce, takeStored, sayFailed } = this.parts;
    try {
      this.missing = { generation: shown, atMs: clock.monotonicMs() };
      const newest = await takeStored();
      if (newest >= shown) return;
      const fields = { event: "policy-generation-unknown", shown, stored: newest, generation: inForce() };
      const why = "a copy of the store was put back without the restore command, or another store has the same log";
      logger.error(fields, `an edge has received generation ${shown}, and the store has none as high: ${why}`);
    } catch (error) {
      sayFailed(error);
    }
  }
}
