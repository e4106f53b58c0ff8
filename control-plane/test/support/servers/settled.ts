// Waiting for servers of the tests, also where no test runs.
import { setTimeout as delay } from "node:timers/promises";

const ASK_AGAIN_MS = 20;
const WITHIN_MS = 30_000;

/** Asks until that does not reject; rejects with its last error where it does so for too long. */
export async function settled<Result>(ask: () => Promise<Result>): Promise<Result> {
  const giveUp = AbortSignal.timeout(WITHIN_MS);
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (giveUp.aborted) throw error;
      await delay(ASK_AGAIN_MS);
    }
  }
}
