// Which generations of the policy stay in the store: the newest, and those that an edge still runs.
import type { PolicyPublisher } from "../ports/policy-ports.js";
import type { Logger, PolicyStore } from "../ports/ports.js";
import { logStoreFailure } from "../upkeep/store-keeping.js";

/** Further back than anyone goes; 100 MiB at most, since a policy has at most 1 MiB. The one in force is the newest. */
export const GENERATIONS_KEPT = 100;

export interface GenerationsKeptParts {
  readonly policies: Pick<PolicyPublisher, "subscribe">;
  readonly store: Pick<PolicyStore, "forgetPolicies">;
  /** Those that edges run or try, as far as they have said. */
  readonly running: () => ReadonlySet<number>;
  readonly logger: Logger;
}

/** After each change of the policy the others are forgotten. Returns how to end that; it waits for what is under way. */
export function keepGenerations({ policies, store, running, logger }: GenerationsKeptParts): () => Promise<void> {
  let underWay: Promise<void> = Promise.resolve();
  const forget = async (): Promise<void> => {
    try {
      await store.forgetPolicies({ newest: GENERATIONS_KEPT, also: running() });
    } catch (error) {
      const fields = { event: "policy-retention-failed" };
      logStoreFailure(logger, error, fields, "old policies could not be removed: tried again after the next one");
    }
  };
  const unsubscribe = policies.subscribe(() => {
    underWay = underWay.then(forget);
  });
  return () => {
    unsubscribe();
    return underWay;
  };
}
