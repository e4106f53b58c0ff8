// What is said where a policy could not be taken: of the store only what the store could not do.
import type { Logger } from "../ports/ports.js";
import { logStoreFailure } from "../upkeep/store-keeping.js";
import { StoreFailure, UnreadableGeneration } from "./policy-steps.js";

export class PolicyFailures {
  /** The generation of another version that was said to be unreadable here: tried again each second, it is said once. */
  private unreadable = 0;

  constructor(
    private readonly logger: Logger,
    private readonly inForce: () => number,
  ) {}

  /** Of a text of the source. */
  sayOfSource(error: unknown): void {
    this.say(error, "a policy could not be taken", "the policy in force stays, and the new one is tried again");
  }

  /** Of what another process has stored. */
  sayOfStored(error: unknown): void {
    this.say(error, "the stored policy could not be taken", "the policy in force stays");
  }

  private say(error: unknown, what: string, after: string): void {
    const generation = this.inForce();
    if (error instanceof UnreadableGeneration) {
      if (error.generation === this.unreadable) return;
      this.unreadable = error.generation;
    }
    if (error instanceof StoreFailure) {
      const fields = { event: "policy-store-failed", generation };
      logStoreFailure(this.logger, error.cause, fields, `the store failed: ${after}`);
    } else {
      this.logger.error({ event: "policy-take-failed", err: error, generation }, `${what}: ${after}`);
    }
  }
}
