// Steps of the start that need the store. One that does not answer, or takes no writes, is waited for, and that is said: a
// supervisor has nothing to start again, and the control plane goes on as soon as the store is mended.
import { StoreUnwritable } from "./app/ports/store-health.js";
import type { Timers } from "./app/ports/log-ports.js";
import type { Readiness } from "./http/status/readiness.js";

const AGAIN_MS = 1000;

export interface Patience {
  readonly readiness: Pick<Readiness, "startsWith">;
  readonly timers: Timers;
}

/**
 * Does the step, again each second for as long as the store does not take it.
 * @param said what the step is, as `/readyz` says it
 * @throws what the step throws that is not the store's refusal
 */
export async function onceStoreTakes<Result>(
  { readiness, timers }: Patience,
  said: string,
  step: () => Promise<Result>,
): Promise<Result> {
  readiness.startsWith(said);
  for (;;) {
    try {
      return await step();
    } catch (error) {
      const refusal = refusalIn(error);
      if (refusal === undefined) throw error;
      readiness.startsWith(`${said}: ${refusal.message}`);
    }
    await new Promise<void>((resolve) => {
      timers.after(AGAIN_MS, resolve);
    });
  }
}

/** Itself, or what a use case has made of it. */
function refusalIn(error: unknown): StoreUnwritable | undefined {
  if (error instanceof StoreUnwritable) return error;
  return error instanceof Error && error.cause instanceof StoreUnwritable ? error.cause : undefined;
}
