// Waiting for a condition, never for a time.
import { setTimeout as delay } from "node:timers/promises";

const INTERVAL_MS = 100;
/** The machine may be busy with other builds: only what never holds fails. */
const WITHIN_MS = 60_000;

/** Resolves with what `condition` returns as soon as it does not throw; rejects with its last error. */
export async function eventually<Result>(
  condition: () => Result | Promise<Result>,
  withinMs = WITHIN_MS,
): Promise<Result> {
  const end = performance.now() + withinMs;
  for (;;) {
    try {
      return await condition();
    } catch (error) {
      if (performance.now() >= end) throw error;
    }
    await delay(INTERVAL_MS);
  }
}

/** @throws Error that says both */
export function equal(seen: unknown, wanted: unknown, of: string): void {
  const [one, other] = [seen, wanted].map((value) => JSON.stringify(value));
  if (one !== other) throw new Error(`${of}: ${one ?? "undefined"}, expected ${other ?? "undefined"}`);
}

/** @throws Error with the text, which lacks it */
export function includes(text: string, wanted: string | RegExp, of: string): void {
  const found = typeof wanted === "string" ? text.includes(wanted) : wanted.test(text);
  if (!found) throw new Error(`${of} lacks ${String(wanted)}: ${text.trim()}`);
}
