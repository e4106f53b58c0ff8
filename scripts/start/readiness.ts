// Waits for a server's answer that shows that it is ready; never for a fixed time.
import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../failure.js";

const POLL_INTERVAL_MS = 50;
const ATTEMPT_TIMEOUT_MS = 2_000;

export interface WaitLimits {
  timeoutMs: number;
  /** Ends the wait early, with the signal's reason. */
  signal?: AbortSignal;
}

/** An answer that is waited for. */
export interface Wanted {
  /** Any of them. */
  readonly status: number | readonly number[];
  /** What its body must hold. */
  readonly text?: string;
  /** What else its body must be. */
  readonly holds?: (text: string) => boolean;
  /** What that is, for a person. */
  readonly meaning?: string;
  /** To be asked with. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Resolves when a GET of `url` is answered with `status`; else rejects with a `Failure` that says what was last seen. */
export function waitForStatus(url: string, status: number, limits: WaitLimits): Promise<void> {
  return waitForAnswer(url, { status }, limits);
}

/** The same, for an answer whose text also tells it from others of its status. */
export async function waitForAnswer(url: string, wanted: Wanted, limits: WaitLimits): Promise<void> {
  const { status, text = "", holds = () => true, meaning = text, headers = {} } = wanted;
  const statuses = [status].flat();
  const end = performance.now() + limits.timeoutMs;
  let seen = "no answer";
  for (;;) {
    limits.signal?.throwIfAborted();
    const answer = await ask(url, headers);
    const isWanted = typeof answer !== "string" && statuses.includes(answer.status) && answer.text.includes(text);
    if (isWanted && holds(answer.text)) return;
    seen = typeof answer === "string" ? answer : `status ${answer.status}`;
    if (performance.now() >= end) break;
    await delay(POLL_INTERVAL_MS);
  }
  const either = statuses.join(" or ");
  const expected = meaning === "" ? either : `${either} ${meaning}`;
  throw new Failure(`${url} did not answer ${expected} within ${limits.timeoutMs / 1000} s: ${seen}.`);
}

/** A string says why there was no answer. */
async function ask(url: string, headers: Record<string, string>): Promise<{ status: number; text: string } | string> {
  try {
    const answer = await fetch(url, { headers, redirect: "manual", signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS) });
    return { status: answer.status, text: await answer.text() };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return cause instanceof Error ? cause.message : String(cause);
  }
}
