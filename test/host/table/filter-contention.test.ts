// A set that other workers write again and again: after so many tries a worker gives up, and says so.
import { describe, expect, it } from "vitest";
import { TICK_MS } from "../../../assembly/contract.js";
import { loseWrites, MAX_TRIES } from "../harness/scenes/contention.js";
import {
  endedAnswer,
  liveAnswer,
  LOG,
  OTHER_LOG,
  policy,
  reportAnswer,
  resetAnswer,
  watchAnswer,
} from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { logCursorOf } from "../harness/scenes/edge-keys.js";
import { nextReport } from "../harness/scenes/reports.js";
import { sessionsOfOneSet } from "../harness/scenes/same-set-sessions.js";
import type { Session } from "../harness/scenes/tokens.js";

const loseSets = (edge: Edge, times: number) => loseWrites(edge, (key) => edge.table.isSetKey(key), times);

/** An edge with a session in its table, whose set is written by others before each of the first `times` writes. */
function contended(onContention: string, times: number) {
  const edge = new Edge({ policy: policy({ onContention }) });
  const session = edge.sessionInTable({ tokens: 5 });
  return { edge, session, writes: loseSets(edge, times), counted: countedBy(edge) };
}

function countedBy(edge: Edge): (name: string) => number {
  return (name) => {
    edge.flush();
    return edge.host.metrics.sum(name);
  };
}

const RULES: readonly [onContention: string, status: number][] = [
  ["allow", 200],
  ["deny", 503],
];

describe("a request whose set others keep writing", () => {
  it.each(RULES)("a request gives up after 32 tries, as onContention %s says: %i", (onContention, status) => {
    const { edge, session, writes, counted } = contended(onContention, MAX_TRIES);
    expect(edge.send(session).status).toBe(status);
    expect(writes()).toBe(MAX_TRIES);
    expect(edge.table.record(session.id)).toMatchObject({ consumed: 1 });
    expect(counted("sluice_cas_exhausted_total")).toBe(1);
    expect(counted("sluice_cas_retries_total")).toBe(MAX_TRIES);
  });

  it("a request whose last try succeeds pays once, and counts as no failure", () => {
    const { edge, session, writes, counted } = contended("deny", MAX_TRIES - 1);
    expect(edge.send(session).status).toBe(200);
    expect(writes()).toBe(MAX_TRIES);
    expect(edge.table.record(session.id)).toMatchObject({ consumed: 2 });
    expect(counted("sluice_cas_exhausted_total")).toBe(0);
    expect(counted("sluice_cas_retries_total")).toBe(MAX_TRIES - 1);
  });
});

describe("an answer whose set others keep writing", () => {
  it.each([
    ["allow", "live", 200],
    ["deny", "live", 503],
    ["allow", "revoked", 200],
    ["deny", "revoked", 503],
  ])(
    "an answer gives up after 32 tries, as onContention %s says of a %s session: %i",
    (onContention, state, status) => {
      const { edge, session, writes, counted } = contended(onContention, MAX_TRIES);
      edge.clock.advanceMs(60_001);
      const waiting = edge.send(session);
      edge.callout.answer(200, state === "live" ? liveAnswer() : endedAnswer("revoked"));
      expect(waiting.status).toBe(status);
      expect(writes()).toBe(MAX_TRIES);
      expect(edge.table.record(session.id)).toMatchObject({ live: true, consumed: 1 });
      expect(counted("sluice_cas_exhausted_total")).toBe(1);
    },
  );

  it("an answer whose last try succeeds is in the table", () => {
    const { edge, session, writes, counted } = contended("deny", MAX_TRIES - 1);
    edge.clock.advanceMs(60_001);
    const waiting = edge.send(session);
    edge.callout.answer(200, endedAnswer("revoked"));
    expect(waiting.status).toBe(401);
    expect(writes()).toBe(MAX_TRIES);
    expect(edge.table.record(session.id)).toMatchObject({ live: false });
    expect(counted("sluice_cas_exhausted_total")).toBe(0);
  });
});

describe("an unverified admission into a set that others keep writing", () => {
  /** Two sessions of one set; the first is in the table. */
  function trusting(onContention: string, times: number) {
    const edge = new Edge({ policy: policy({ onMiss: "trust", onContention }) });
    const [first, second] = sessionsOfOneSet(edge, 2) as [Session, Session];
    edge.send(first);
    return { edge, second, writes: loseSets(edge, times), counted: countedBy(edge) };
  }

  it.each(RULES)("an admission gives up after 32 tries, as onContention %s says: %i", (onContention, status) => {
    const { edge, second, writes, counted } = trusting(onContention, MAX_TRIES);
    expect(edge.send(second).status).toBe(status);
    expect(writes()).toBe(MAX_TRIES);
    expect(edge.table.record(second.id)).toBeUndefined();
    expect(counted("sluice_cas_exhausted_total")).toBe(1);
  });

  it("an admission whose last try succeeds has a record, and pays", () => {
    const { edge, second, writes, counted } = trusting("deny", MAX_TRIES - 1);
    expect(edge.send(second).status).toBe(200);
    expect(writes()).toBe(MAX_TRIES + 1);
    expect(edge.table.record(second.id)).toMatchObject({ provisional: true, consumed: 1 });
    expect(counted("sluice_cas_exhausted_total")).toBe(0);
  });
});

const TIMES: readonly [times: number, isWritten: boolean][] = [
  [MAX_TRIES, false],
  [MAX_TRIES - 1, true],
];

describe("what a worker writes by itself into a set that others keep writing", () => {
  it.each(TIMES)("an acknowledgement whose first %i tries fail is written: %s", (times, isWritten) => {
    const { edge, session, writes } = contended("deny", 0);
    const report = nextReport(edge);
    const before = writes();
    const tries = loseSets(edge, times);
    report.answer(200, reportAnswer());
    expect(tries()).toBe(MAX_TRIES);
    expect(writes() - before).toBe(MAX_TRIES);
    expect(edge.table.record(session.id)?.ackedRev).toBe(isWritten ? 1 : 0);
  });

  it.each(TIMES)("a revocation into a set whose first %i tries fail is marked: %s", (times, isWritten) => {
    const { edge, session } = contended("deny", 0);
    edge.flush();
    loseSets(edge, times);
    edge.watch.answer(200, watchAnswer({ revoked: [session.id] }));
    expect(edge.table.record(session.id)?.live).toBe(!isWritten);
  });

  it.each(TIMES)("a reset of a set whose first %i tries fail is carried out: %s", (times, isWritten) => {
    const { edge, session } = contended("deny", 0);
    edge.flush();
    edge.watch.answer(200, resetAnswer());
    loseSets(edge, times);
    edge.passMs(TICK_MS);
    expect(edge.table.record(session.id)?.unconfirmed).toBe(isWritten);
    expect(logCursorOf(edge.host.sharedData)?.log).toBe(isWritten ? OTHER_LOG : LOG);
    // Given up: the next watch is answered by a reset again.
    edge.watch.answer(200, resetAnswer());
    edge.passMs(TICK_MS);
    expect(edge.table.record(session.id)?.unconfirmed).toBe(true);
  });
});
