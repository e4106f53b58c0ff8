// Waiting for a server: not for a time, but for the answer that says it is ready.
import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "./failure.js";

const POLL_INTERVAL_MS = 50;
const ATTEMPT_TIMEOUT_MS = 2_000;

export interface WaitLimits {
  timeoutMs: number;
  /** Ends the wait early, with the signal's reason. */
  signal?: AbortSignal;
}

/** Resolves when a GET of `url` is answered with `status`; else rejects with a `Failure` that says what was last seen. */
export async function waitForStatus(url: string, status: number, limits: WaitLimits): Promise<void> {
  const end = performance.now() + limits.timeoutMs;
  let seen = "no answer";
  for (;;) {
    limits.signal?.throwIfAborted();
    seen = await ask(url);
    if (seen === `status ${status}`) return;
    if (performance.now() >= end) break;
    await delay(POLL_INTERVAL_MS);
  }
  throw new Failure(`${url} did not answer ${status} within ${limits.timeoutMs / 1000} s: ${seen}.`);
}

async function ask(url: string): Promise<string> {
  try {
    const answer = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS) });
    await answer.body?.cancel();
    return `status ${answer.status}`;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return cause instanceof Error ? cause.message : String(cause);
  }
}
