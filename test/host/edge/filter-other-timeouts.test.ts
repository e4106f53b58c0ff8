// Workers of one Envoy may run different policies for a while. How long an answer may make a record, and how long a record
// must be idle before it may be evicted, are one number that no policy sets: so a bucket that was evicted and comes back by
// a late answer never holds more than it did.
import { describe, expect, it } from "vitest";
import { ANSWER_VALID_MS, RECORDS_PER_SET, TICK_MS } from "../../../assembly/contract.js";
import {
  REPORT_INTERVAL_MS,
  liveAnswer,
  policy,
  reportAnswer,
  settings,
  type PolicyDocument,
} from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { sessionsOfOneSet } from "../harness/scenes/same-set-sessions.js";
import type { Session } from "../harness/scenes/tokens.js";

const withTimeout = (acquireTimeout: number): PolicyDocument =>
  policy({ onTableFull: "deny", controlPlane: { acquireTimeout, reportInterval: REPORT_INTERVAL_MS } });

/** The first worker waits long for an answer, as its older policy says; the second one's policy says a millisecond. */
function differing(): { edge: Edge; session: Session; others: Session[] } {
  const edge = new Edge({ policy: withTimeout(4000) });
  edge.addWorker(settings(withTimeout(1)));
  const [session, ...others] = sessionsOfOneSet(edge, RECORDS_PER_SET + 1);
  if (session === undefined) throw new Error("sessions are needed");
  return { edge, session, others };
}

/** Lets reports be acknowledged, so that records may be evicted. */
function report(edge: Edge): void {
  edge.flush();
  for (const out of edge.pendingReports) out.answer(200, reportAnswer());
}

/** A session on the second worker, by an answer that comes at once. */
function fill(edge: Edge, session: Session): number | undefined {
  const stream = edge.send(session, 1);
  const call = edge.pendingAcquires.find((pending) => pending.vm === edge.worker(1));
  call?.answer(200, liveAnswer());
  return stream.status;
}

describe("a bucket that is spent on one worker while another's answer for it is out", () => {
  it("a bucket that another worker spends is not evicted while an answer is out", () => {
    const { edge, session, others } = differing();
    const late = edge.send(session, 0);
    const [outOfFirst] = edge.pendingAcquires;
    expect(fill(edge, session)).toBe(200);
    expect(edge.admitted(session, 20, 1)).toBe(9);
    edge.clock.advanceMs(REPORT_INTERVAL_MS - 1);
    report(edge);
    // All others of the set are newer: the spent one would be the first to go.
    const statuses = others.map((other) => fill(edge, other));
    expect(statuses.at(-1)).toBe(503);
    outOfFirst?.answer(200, liveAnswer());
    expect(late.status).toBe(429);
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 0, consumed: 10 });
  });

  it("an evicted bucket does not come back full: its late answer is asked for again", () => {
    const { edge, session, others } = differing();
    const late = edge.send(session, 0);
    const [outOfFirst] = edge.pendingAcquires;
    expect(fill(edge, session)).toBe(200);
    expect(edge.admitted(session, 20, 1)).toBe(9);
    edge.clock.advanceMs(REPORT_INTERVAL_MS);
    report(edge);
    edge.clock.advanceMs(ANSWER_VALID_MS - REPORT_INTERVAL_MS + 1);
    for (const other of others) fill(edge, other);
    expect(edge.table.record(session.id)).toBeUndefined();
    outOfFirst?.answer(200, liveAnswer());
    expect(late.paused).toBe(true);
    expect(edge.pendingAcquires).toHaveLength(1);
    // The control plane knows by now what was spent.
    edge.callout.answer(200, liveAnswer({ tokens: 0, consumed: 10, rev: 10 }));
    expect(late.status).not.toBe(200);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
    "no more than 10 requests are admitted when an answer takes %i s",
    (seconds) => {
      const { edge, session, others } = differing();
      const streams = [edge.send(session, 0)];
      const [outOfFirst] = edge.pendingAcquires;
      fill(edge, session);
      let admitted = 1 + edge.admitted(session, 20, 1);
      for (let passed = 0; passed < seconds * 1000; passed += TICK_MS) {
        edge.clock.advanceMs(TICK_MS);
        report(edge);
      }
      for (const other of others) fill(edge, other);
      outOfFirst?.answer(200, liveAnswer());
      admitted += streams.filter((stream) => stream.reachedUpstream).length;
      admitted += edge.admitted(session, 20, 0);
      expect(admitted).toBeLessThanOrEqual(10);
    },
  );
});
