// The keys beside the sets that other workers write again and again: after so many tries a worker gives up, nothing is half
// done, and the next watch brings it again.
import { describe, expect, it } from "vitest";
import { TICK_MS } from "../../../assembly/contract.js";
import { loseWrites, MAX_TRIES } from "../harness/scenes/contention.js";
import { CURSOR, LOG, OTHER_LOG, policy, resetAnswer, watchAnswer } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import {
  bellOf,
  isBellKey,
  isLogCursorKey,
  isPolicyKey,
  logCursorOf,
  policyBytesOf,
} from "../harness/scenes/edge-keys.js";
import { edgeFollowing, newestWatch, offer } from "../harness/scenes/policy-offer.js";

/** Writes of a policy's bytes that may be lost: fewer, since each is up to a megabyte. */
const MAX_POLICY_TRIES = 8;
const BACKOFF_MS = 500;
const NEXT = CURSOR + 1;

/** How many tries in a row fail, and whether it is done then. */
const TIMES: readonly [times: number, isDone: boolean][] = [
  [MAX_TRIES, false],
  [MAX_TRIES - 1, true],
];

/** An edge with a session in its table, that follows a log and whose watch is held. */
function watching() {
  const edge = new Edge();
  const session = edge.sessionInTable();
  edge.flush();
  const revoke = (): void => {
    edge.watch.answer(200, watchAnswer({ revoked: [session.id], cursor: NEXT }));
  };
  return { edge, session, revoke, cursor: () => logCursorOf(edge.host.sharedData) };
}

describe("the log cursor that others keep writing", () => {
  it.each(TIMES)("a revocation after %i lost tries to say that it was seen is marked: %s", (times, isDone) => {
    const { edge, session, revoke, cursor } = watching();
    loseWrites(edge, isLogCursorKey, times);
    revoke();
    expect(edge.table.record(session.id)?.live).toBe(!isDone);
    expect(cursor()).toMatchObject(isDone ? { cursor: NEXT, seen: NEXT } : { cursor: CURSOR, seen: CURSOR });
    revoke();
    expect(edge.table.record(session.id)?.live).toBe(false);
  });

  it.each(TIMES)("a revocation after %i lost tries to confirm it is confirmed: %s", (times, isDone) => {
    const { edge, session, revoke, cursor } = watching();
    // The first write says that it was seen.
    loseWrites(edge, isLogCursorKey, times, 1);
    revoke();
    expect(edge.table.record(session.id)?.live).toBe(false);
    expect(cursor()).toMatchObject({ cursor: isDone ? NEXT : CURSOR, seen: NEXT });
    edge.passMs(2 * BACKOFF_MS);
    expect(edge.watch.json).toMatchObject({ since: isDone ? NEXT : CURSOR });
    revoke();
    expect(cursor()).toMatchObject({ cursor: NEXT, seen: NEXT });
  });

  it.each(TIMES)("a reset after %i lost tries to begin is begun: %s", (times, isDone) => {
    const { edge, session, cursor } = watching();
    loseWrites(edge, isLogCursorKey, times);
    edge.watch.answer(200, resetAnswer());
    expect(cursor()).toMatchObject({ log: LOG, seenLog: isDone ? OTHER_LOG : LOG });
    edge.passMs(TICK_MS);
    expect(edge.table.record(session.id)?.unconfirmed).toBe(isDone);
    edge.passMs(TICK_MS);
    expect(edge.watch.json).toMatchObject({ log: isDone ? OTHER_LOG : LOG });
  });

  it.each(TIMES)("a reset after %i lost tries to end is ended: %s", (times, isDone) => {
    const { edge, session, cursor } = watching();
    edge.watch.answer(200, resetAnswer());
    loseWrites(edge, isLogCursorKey, times);
    edge.passMs(TICK_MS);
    expect(edge.table.record(session.id)?.unconfirmed).toBe(true);
    expect(cursor()).toMatchObject({ log: isDone ? OTHER_LOG : LOG, seenLog: OTHER_LOG });
    edge.passMs(TICK_MS);
    edge.watch.answer(200, resetAnswer());
    edge.passMs(TICK_MS);
    expect(cursor()).toMatchObject({ log: OTHER_LOG, seenLog: OTHER_LOG });
  });

  it.each(TIMES)("a policy of another log after %i lost tries to turn to it is kept: %s", (times, isDone) => {
    const { edge, cursor } = watching();
    loseWrites(edge, isLogCursorKey, times);
    offer(edge.watch, policy(), { log: OTHER_LOG });
    expect(cursor()).toMatchObject({ log: LOG, seenLog: isDone ? OTHER_LOG : LOG });
    expect(policyBytesOf(edge.host.sharedData)?.log).toBe(isDone ? OTHER_LOG : undefined);
  });
});

describe("a policy's keys that others keep writing", () => {
  const cases: readonly [what: string, times: number, isDone: boolean, isKey: (key: string) => boolean][] = [
    ["the bell", MAX_TRIES, false, isBellKey],
    ["the bell", MAX_TRIES - 1, true, isBellKey],
    ["the bytes", MAX_POLICY_TRIES, false, isPolicyKey],
    ["the bytes", MAX_POLICY_TRIES - 1, true, isPolicyKey],
  ];

  it.each(cases)("a newer policy of which %s loses %i writes is taken at once: %s", (_what, times, isDone, isKey) => {
    const edge = edgeFollowing(policy(), 1);
    loseWrites(edge, isKey, times);
    offer(newestWatch(edge), policy({ responseHeaders: "none" }), { generation: 2 });
    expect(bellOf(edge.host.sharedData)?.generation).toBe(isDone ? 2 : 1);
    edge.passMs(2 * BACKOFF_MS);
    offer(newestWatch(edge), policy({ responseHeaders: "none" }), { generation: 2 });
    expect(bellOf(edge.host.sharedData)?.generation).toBe(2);
  });
});
