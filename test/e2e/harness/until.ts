// Waiting for a condition, never for a time.
import { vi } from "vitest";

const TIMEOUT_MS = 30_000;
const INTERVAL_MS = 20;

/** Resolves with what `condition` returns as soon as it does not throw; rejects with its last error. */
export function until<Result>(condition: () => Result | Promise<Result>): Promise<Result> {
  return vi.waitFor(condition, { timeout: TIMEOUT_MS, interval: INTERVAL_MS });
}
