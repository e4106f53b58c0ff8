// Walks page by page, a transaction each, with a turn for everything else in between.
import { setImmediate as nextTurn } from "node:timers/promises";

import type { Stopped } from "./claimed-work.js";

/** What a step did, and where the next one goes on; undefined after the last. */
export interface Step<Done, Cursor> {
  readonly done: Done;
  readonly next: Cursor | undefined;
}

export async function inSteps<Done, Cursor>(
  step: (after: Cursor | undefined) => Promise<Step<Done, Cursor>>,
  tell: (done: Done) => void,
  stopped: Stopped = () => false,
): Promise<void> {
  let after: Cursor | undefined;
  while (!(await stopped())) {
    const { done, next } = await step(after);
    tell(done);
    if (next === undefined) return;
    after = next;
    await nextTurn();
  }
}
