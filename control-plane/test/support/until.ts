// Waiting for a condition, never for a time. How long at most, vitest.config.ts says for each project: long enough that only
// a condition that never holds fails, and short enough that its last error is in the report, not the test's own timeout.
import { inject, vi } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** How long `until` waits at most. */
    untilMs: number;
  }
}

const INTERVAL_MS = 20;

/** Resolves with what `condition` returns as soon as it does not throw; rejects with its last error. */
export function until<Result>(condition: () => Result | Promise<Result>): Promise<Result> {
  return vi.waitFor(condition, { timeout: inject("untilMs"), interval: INTERVAL_MS });
}
