// Races between the workers of one Envoy, forced: what a second worker does, it does inside a host call of the first.
import { describe, expect, it } from "vitest";
import { INSTANCE_CHARS } from "../../assembly/contract.js";
import { ACQUIRE_TIMEOUT_MS, Edge, MAX_AGE_MS, endedAnswer, liveAnswer, plan, policy, requestWith } from "./edge.js";
import type { HostCall } from "./host-calls.js";
import { sessionsOfOneSet } from "./set-mates.js";
import type { Vm } from "./vm.js";

const CAS_TRIES = 32;

/** Matches a worker's writes, or reads, of a set of the table. */
const writesSet =
  (edge: Edge, worker: Vm) =>
  (call: HostCall): boolean =>
    call.vm === worker && call.name === "proxy_set_shared_data" && edge.table.isSetKey(call.key);
const readsSet =
  (edge: Edge, worker: Vm) =>
  (call: HostCall): boolean =>
    call.vm === worker && call.name === "proxy_get_shared_data" && edge.table.isSetKey(call.key);

function twoWorkers(): { edge: Edge; a: Vm; b: Vm } {
  const edge = new Edge({ workers: 2 });
  return { edge, a: edge.worker(0), b: edge.worker(1) };
}

describe("two workers miss the same session together", () => {
  it("the later answer does not refill what was spent meanwhile", () => {
    const { edge } = twoWorkers();
    const session = edge.newSession();
    const waiting = [edge.send(session, 0), edge.send(session, 1)];
    const [first, second] = edge.host.callouts;
    first?.answer(200, liveAnswer());
    expect(edge.admitted(session, 20, 0)).toBe(9);
    second?.answer(200, liveAnswer());
    expect(waiting.map((stream) => stream.status)).toEqual([200, 429]);
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 0, consumed: 10, rev: 10 });
  });

  it("the answer that finds a record between its read and its write leaves the record's level", () => {
    const { edge, a } = twoWorkers();
    edge.sessionInTable();
    const session = sessionsOfOneSet(edge, 1)[0] ?? edge.newSession();
    const waiting = [edge.send(session, 0), edge.send(session, 1)];
    const [first, second] = edge.host.callouts.slice(-2);
    edge.host.hooks.once("before", writesSet(edge, a), () => {
      second?.answer(200, liveAnswer());
      expect(edge.admitted(session, 4, 1)).toBe(4);
    });
    first?.answer(200, liveAnswer());
    expect(edge.host.hooks.waiting).toBe(0);
    expect(waiting.map((stream) => stream.status)).toEqual([200, 200]);
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 4, consumed: 6, rev: 6 });
  });

  it("of two that create the set, one wins and the other's session finds its place beside it", () => {
    const { edge, a } = twoWorkers();
    const [one, other] = sessionsOfOneSet(edge, 2);
    if (one === undefined || other === undefined) throw new Error("two sessions are needed");
    const waiting = [edge.send(one, 0), edge.send(other, 1)];
    const [first, second] = edge.host.callouts;
    const createsSet = (call: HostCall): boolean =>
      call.vm === a && call.name === "proxy_set_shared_data" && Number(call.args[3]) > INSTANCE_CHARS;
    edge.host.hooks.once("before", createsSet, () => second?.answer(200, liveAnswer()));
    first?.answer(200, liveAnswer());
    expect(waiting.map((stream) => stream.status)).toEqual([200, 200]);
    expect(edge.table.setKeys()).toHaveLength(1);
    expect(edge.table.records().map((record) => record.levelTokens)).toEqual([9, 9]);
  });

  it("of two that name the table's life, one wins and both call by its name", () => {
    const { edge, a } = twoWorkers();
    const namesInstance = (call: HostCall): boolean =>
      call.vm === a && call.name === "proxy_set_shared_data" && Number(call.args[3]) === INSTANCE_CHARS;
    edge.host.hooks.once("before", namesInstance, () => edge.send(edge.newSession(), 1));
    edge.send(edge.newSession(), 0);
    expect(edge.host.hooks.waiting).toBe(0);
    const names = edge.host.callouts.map((callout) => (callout.json as { instance: string }).instance);
    expect(names).toHaveLength(2);
    expect(names[0]).toMatch(/^[0-9a-f]{16}$/);
    expect(names[1]).toBe(names[0]);
  });
});

describe("two workers spend from one bucket", () => {
  it("both spends count when the second falls between the read and the write of the first", () => {
    const { edge, a } = twoWorkers();
    const session = edge.sessionInTable();
    edge.host.hooks.once("before", writesSet(edge, a), () => {
      expect(edge.send(session, 1).status).toBe(200);
    });
    expect(edge.send(session, 0).status).toBe(200);
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 7, consumed: 3 });
    edge.flush();
    expect(edge.host.metrics.sum("sluice_cas_retries")).toBe(1);
  });

  it("only one gets the last token", () => {
    const { edge, a } = twoWorkers();
    const session = edge.sessionInTable({ tokens: 1 });
    edge.host.hooks.once("before", writesSet(edge, a), () => {
      expect(edge.send(session, 1).status).toBe(200);
    });
    expect(edge.send(session, 0).status).toBe(429);
    expect(edge.table.record(session.id)?.levelPico).toBe(0n);
  });

  it("a clock read before another worker's write neither takes time back nor counts it twice", () => {
    const edge = new Edge({ workers: 2, policy: policy({ plans: [plan({ maxTokens: 10, tokenRefillRate: 1 })] }) });
    const session = edge.sessionInTable({ tokens: 0 });
    const begun = edge.table.record(session.id)?.refilledAtUs ?? 0n;
    const readsClock = (call: HostCall): boolean => call.vm === edge.worker(0) && call.name === "clock_time_get";
    edge.clock.advanceMs(2000);
    edge.host.hooks.once("after", readsClock, () => {
      edge.clock.advanceMs(1000);
      expect(edge.send(session, 1).status).toBe(200);
    });
    expect(edge.send(session, 0).status).toBe(200);
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 1, refilledAtUs: begun + 3_000_000n });
    expect(edge.admitted(session, 5)).toBe(1);
  });

  it.each([
    ["deny", 503, false],
    ["allow", 200, true],
  ])("gives up after 32 tries, and answers as onContention %s says", (onContention, status, passes) => {
    const edge = new Edge({ workers: 2, policy: policy({ onContention, plans: [plan({ maxTokens: 1000 })] }) });
    const session = edge.sessionInTable({ tokens: 900 });
    let tries = 0;
    const stop = edge.host.hooks.each("before", writesSet(edge, edge.worker(0)), () => {
      tries += 1;
      edge.send(session, 1);
    });
    const stream = edge.send(session, 0);
    stop();
    expect(stream).toMatchObject({ status, reachedUpstream: passes });
    expect(tries).toBe(CAS_TRIES);
    expect(edge.table.record(session.id)?.levelTokens).toBe(900 - CAS_TRIES);
    edge.flush();
    expect(edge.host.metrics.sum("sluice_cas_exhausted")).toBe(1);
    expect(edge.host.metrics.sum("sluice_cas_retries")).toBeGreaterThanOrEqual(CAS_TRIES - 1);
  });
});

describe("an answer that comes late", () => {
  it("does not insert a session that was evicted after it was asked about: it asks again as on a miss", () => {
    const edge = new Edge({ workers: 2 });
    const [idle, ...others] = sessionsOfOneSet(edge, 17);
    if (idle === undefined) throw new Error("a session is needed");
    fillSet(edge, [idle, ...others.slice(0, 15)]);
    expect(edge.admitted(idle, 20)).toBe(9);
    edge.clock.advanceMs(MAX_AGE_MS + 1);
    for (const other of others.slice(0, 15)) keepAlive(edge, other);
    const waiting = edge.send(idle, 0);
    const late = edge.callout;
    edge.send(others[15] ?? idle, 1);
    edge.host.pendingCallouts.at(-1)?.answer(200, liveAnswer());
    expect(edge.table.record(idle.id)).toBeUndefined();
    late.answer(200, liveAnswer());
    expect(waiting.paused).toBe(true);
    expect(edge.table.record(idle.id)).toBeUndefined();
    expect(edge.callout.json).toMatchObject({ session: idle.id });
    edge.callout.answer(200, liveAnswer({ tokens: 0 }));
    expect(waiting.status).toBeDefined();
    expect(waiting.reachedUpstream).toBe(false);
  });

  it("is asked again when the worker slept between its read of the set and its write", () => {
    const { edge, a } = twoWorkers();
    const session = edge.newSession();
    const waiting = edge.send(session, 0);
    edge.host.hooks.once("after", readsSet(edge, a), () => {
      edge.clock.advanceMs(ACQUIRE_TIMEOUT_MS + 1);
    });
    edge.callout.answer(200, liveAnswer());
    expect(edge.host.hooks.waiting).toBe(0);
    expect(waiting.paused).toBe(true);
    expect(edge.table.record(session.id)).toBeUndefined();
    edge.callout.answer(200, liveAnswer());
    expect(waiting.status).toBe(200);
    expect(edge.host.callouts).toHaveLength(2);
  });

  it("is asked for at most 3 times, then onUnreachable decides", () => {
    const edge = new Edge({ policy: policy({ onUnreachable: "deny" }) });
    const waiting = edge.send(edge.newSession());
    for (let asked = 1; asked <= 3; asked++) {
      edge.clock.advanceMs(ACQUIRE_TIMEOUT_MS + 1);
      expect(waiting.paused).toBe(true);
      edge.callout.answer(200, liveAnswer());
    }
    expect(waiting.status).toBe(503);
    expect(edge.host.callouts).toHaveLength(3);
  });

  it("does not revive a session that another worker heard to be revoked", () => {
    const { edge } = twoWorkers();
    const session = edge.newSession();
    const waiting = [edge.send(session, 0), edge.send(session, 1)];
    const [first, second] = edge.host.callouts;
    second?.answer(200, endedAnswer("revoked"));
    first?.answer(200, liveAnswer());
    expect(waiting.map((stream) => stream.status)).toEqual([401, 401]);
    expect(edge.table.record(session.id)).toMatchObject({ live: false });
    expect([edge.send(session, 0).status, edge.send(session, 1).status]).toEqual([401, 401]);
  });

  it("ends a session in the middle of another worker's spend, and the spend sees it", () => {
    const { edge, a } = twoWorkers();
    const session = edge.sessionInTable();
    edge.clock.advanceMs(MAX_AGE_MS + 1);
    const asked = edge.send(session, 1);
    const revocation = edge.callout;
    edge.table.patch(session.id, (record) => record.writeBigUInt64LE(edge.clock.monotonicNanos / 1000n, 48));
    edge.host.hooks.once("before", writesSet(edge, a), () => {
      revocation.answer(200, endedAnswer("revoked"));
    });
    expect(edge.send(session, 0).status).toBe(401);
    expect(asked.status).toBe(401);
    expect(edge.table.record(session.id)).toMatchObject({ live: false, levelTokens: 9 });
  });
});

describe("a client that leaves while it waits", () => {
  it("is not resumed and pays nothing; the others that wait for the same answer go on", () => {
    const { edge } = twoWorkers();
    const session = edge.newSession();
    const [first, second, third] = [0, 0, 0].map(() => edge.send(session));
    second?.abandon();
    edge.answerLive();
    expect([first?.status, second?.status, third?.status]).toEqual([200, undefined, 200]);
    expect(second?.reachedUpstream).toBe(false);
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 8, consumed: 2 });
  });

  it("leaves a record that the session's next request hits, when it was the only one", () => {
    const { edge } = twoWorkers();
    const session = edge.newSession();
    edge.send(session).abandon();
    edge.answerLive();
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 10, rev: 0 });
    expect(edge.send(session).status).toBe(200);
    expect(edge.host.callouts).toHaveLength(1);
  });

  it("gets no answer of a revocation either", () => {
    const { edge } = twoWorkers();
    const stream = edge.send(edge.newSession());
    stream.abandon();
    edge.callout.answer(200, endedAnswer("revoked"));
    expect(stream.local).toBeUndefined();
    expect(edge.worker(0).failure).toBeUndefined();
  });
});

/** Puts sessions that are known to share a set into the table. */
function fillSet(edge: Edge, sessions: readonly { token: string; id: string }[]): void {
  for (const session of sessions) {
    edge.worker(0).request(requestWith(session.token));
    edge.answerLive();
  }
}

/** A request after the session was idle: the control plane says that it lives. */
function keepAlive(edge: Edge, session: { token: string; id: string }): void {
  edge.send(session.token);
  edge.answerLive();
}
