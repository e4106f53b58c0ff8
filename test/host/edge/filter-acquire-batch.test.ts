// Many sessions that the table does not hold, at once: they wait, and share calls; none is let in for being one of many.
import { describe, expect, it } from "vitest";
import { ANSWER_VALID_MS, MAX_ACQUIRE_SESSIONS, TICK_MS } from "../../../assembly/contract.js";
import type { Stream } from "../harness/host/stream.js";
import { answerAll, batchAnswer, fillCalls, MAX_CALLS_OUT, sessionsOf } from "../harness/scenes/batches.js";
import { ACQUIRE_TIMEOUT_MS, endedAnswer, liveAnswer, plan, policy, settings } from "../harness/scenes/documents.js";
import { Edge, requestWith } from "../harness/scenes/edge.js";
import type { Session } from "../harness/scenes/tokens.js";

const MAX_WAITING = 1024;
const live = (): string => liveAnswer();
const statusesOf = (streams: readonly Stream[]): (number | undefined)[] => streams.map(({ status }) => status);
const trust = policy({ onUnreachable: "trust" });

/** Sessions behind calls that are all out, with their requests. */
function queued(edge: Edge, count: number): { sessions: Session[]; streams: Stream[] } {
  const sessions = Array.from({ length: count }, () => edge.newSession());
  return { sessions, streams: sessions.map((session) => edge.send(session)) };
}

describe("more sessions than calls may be out", () => {
  it("sessions past 8 calls wait, and 64 of them go out in a call once one comes back", () => {
    const edge = new Edge();
    const first = fillCalls(edge);
    const { sessions, streams } = queued(edge, 100);
    expect(edge.pendingAcquires.map((call) => sessionsOf(call))).toEqual(first.map(({ id }) => [id]));
    edge.pendingAcquires[0]?.answer(200, live());
    const batch = edge.pendingAcquires.at(-1);
    const asked = batch === undefined ? [] : sessionsOf(batch);
    expect(asked).toEqual(sessions.slice(0, MAX_ACQUIRE_SESSIONS).map(({ id }) => id));
    expect(batch).toMatchObject({ timeoutMs: ACQUIRE_TIMEOUT_MS });
    answerAll(edge, live);
    expect(new Set(statusesOf(streams))).toEqual(new Set([200]));
    expect(edge.acquires).toHaveLength(MAX_CALLS_OUT + 2);
  });

  it("each session of a call goes on by its own answer", () => {
    const edge = new Edge({ policy: policy({ plans: [plan(), plan({ id: 4, name: "gold", maxTokens: 50 })] }) });
    fillCalls(edge);
    const { sessions, streams } = queued(edge, 5);
    const ids = sessions.map(({ id }) => id);
    const answers = [
      liveAnswer({ tokens: 3 }),
      endedAnswer("revoked"),
      liveAnswer({ plan: 4, tokens: 40, consumed: 10, rev: 7 }),
      endedAnswer("expired"),
      endedAnswer("unknown"),
    ];
    answerAll(edge, (id) => answers[ids.indexOf(id)] ?? live());
    expect(statusesOf(streams)).toEqual([200, 401, 200, 401, 401]);
    expect(edge.table.record(ids[0] ?? "")).toMatchObject({ planId: 0, levelTokens: 2 });
    expect(edge.table.record(ids[2] ?? "")).toMatchObject({ planId: 4, levelTokens: 39, consumed: 11, rev: 8 });
    expect(edge.table.record(ids[1] ?? "")?.live).toBe(false);
  });

  it("requests of one session that waits in the queue all go on by its answer", () => {
    const edge = new Edge();
    fillCalls(edge);
    const session = edge.newSession();
    const streams = Array.from({ length: 4 }, () => edge.send(session));
    answerAll(edge, () => liveAnswer({ tokens: 3 }));
    expect(statusesOf(streams)).toEqual([200, 200, 200, 429]);
    expect(edge.acquires).toHaveLength(MAX_CALLS_OUT + 1);
  });

  it("a worker asks about all of 1,024 waiting sessions, and about as many again", () => {
    const edge = new Edge({ policy: trust });
    for (let round = 0; round < 3; round++) {
      const { sessions, streams } = queued(edge, MAX_WAITING);
      expect(streams.every((stream) => stream.paused)).toBe(true);
      expect(edge.send(edge.newSession()).status).toBe(503);
      answerAll(edge, () => endedAnswer("unknown"));
      expect(new Set(statusesOf(streams))).toEqual(new Set([401]));
      const asked = edge.acquires.slice(-MAX_WAITING).flatMap((call) => sessionsOf(call));
      expect(asked.slice(-MAX_WAITING)).toEqual(sessions.map(({ id }) => id));
    }
    expect(edge.worker(0).failure).toBeUndefined();
  });

  it("clients that left the queue are not resumed, and pay nothing", () => {
    const edge = new Edge();
    fillCalls(edge);
    const { sessions, streams } = queued(edge, 3);
    streams[1]?.abandon();
    answerAll(edge, live);
    expect(statusesOf(streams)).toEqual([200, undefined, 200]);
    expect(edge.table.record(sessions[1]?.id ?? "")).toMatchObject({ consumed: 0 });
  });

  it("a session whose client waits in the queue is asked about under its own settings", () => {
    const edge = new Edge();
    fillCalls(edge);
    const { streams: old } = queued(edge, 2);
    const waiting = edge.worker(0).open(requestWith(edge.newSession()));
    edge.worker(0).configure(settings(policy({ controlPlane: { acquireTimeout: 900 } })));
    const { streams: fresh } = queued(edge, 2);
    const [first] = edge.pendingAcquires;
    first?.answer(200, live());
    expect(edge.pendingAcquires.at(-1)).toMatchObject({ timeoutMs: ACQUIRE_TIMEOUT_MS });
    edge.pendingAcquires[0]?.answer(200, live());
    expect(edge.pendingAcquires.at(-1)).toMatchObject({ timeoutMs: 900 });
    expect(edge.pendingAcquires.at(-1)?.root).not.toBe(edge.pendingAcquires.at(-2)?.root);
    answerAll(edge, live);
    expect(statusesOf([...old, ...fresh])).toEqual([200, 200, 200, 200]);
    expect(waiting.paused).toBe(false);
  });
});

describe("an answer that does not speak of every session", () => {
  it("an older control plane answers one session of a call: the others have calls of their own", () => {
    const edge = new Edge({ policy: trust });
    fillCalls(edge);
    const { sessions, streams } = queued(edge, 5);
    for (let [call] = edge.pendingAcquires; call !== undefined; [call] = edge.pendingAcquires) call.answer(200, live());
    expect(statusesOf(streams)).toEqual([200, 200, 200, 200, 200]);
    const asked = edge.acquires.slice(MAX_CALLS_OUT).map((call) => sessionsOf(call));
    const ids = sessions.map(({ id }) => id);
    expect(asked).toEqual([ids, ...ids.slice(1).map((id) => [id])]);
  });

  it.each([
    ["is no object", (): unknown => 7],
    ["has no state", (id: string): unknown => ({ session: id, log: "a1b2c3d4e5f60718", cursor: 41 })],
    ["has another session's id", (): unknown => ({ session: "x", ...(JSON.parse(live()) as object) })],
  ])("an entry of an answer that %s leaves its session to a call of its own", (_what, entry) => {
    const edge = new Edge({ policy: trust });
    fillCalls(edge);
    const { sessions, streams } = queued(edge, 3);
    const [first, second, third] = sessions.map(({ id }) => id);
    edge.pendingAcquires[0]?.answer(200, live());
    const whole = JSON.parse(live()) as object;
    const others = [entry(second ?? ""), { session: third, ...whole }];
    edge.pendingAcquires.at(-1)?.answer(200, JSON.stringify({ ...whole, others }));
    expect(statusesOf(streams)).toEqual([200, undefined, 200]);
    expect(edge.pendingAcquires.map((call) => sessionsOf(call)).at(-1)).toEqual([second]);
    expect(first).not.toBe(second);
    answerAll(edge, () => endedAnswer("revoked"));
    expect(statusesOf(streams)).toEqual([200, 401, 200]);
  });

  it.each(["{}", "[]", "7", '"x"', "null"])("an answer whose others are %s speaks of its first session", (others) => {
    const edge = new Edge();
    fillCalls(edge);
    const { streams } = queued(edge, 2);
    edge.pendingAcquires[0]?.answer(200, live());
    edge.pendingAcquires.at(-1)?.answer(200, live().replace(/}$/, `,"others":${others}}`));
    expect(statusesOf(streams)).toEqual([200, undefined]);
    answerAll(edge, live);
    expect(statusesOf(streams)).toEqual([200, 200]);
  });
});

describe("sessions in a queue and onUnreachable: trust", () => {
  it.each([
    ["trust", 200],
    ["deny", 503],
  ])("a call that times out answers all its sessions as onUnreachable: %s says, with %i", (onUnreachable, status) => {
    const edge = new Edge({ policy: policy({ onUnreachable }) });
    fillCalls(edge);
    const { streams } = queued(edge, 3);
    edge.pendingAcquires[0]?.answer(200, live());
    edge.clock.advanceMs(1);
    edge.pendingAcquires.at(-1)?.timeOut();
    expect(statusesOf(streams)).toEqual([status, status, status]);
  });

  it("a call that times out while another is answered gives its sessions 503 under trust", () => {
    const edge = new Edge({ policy: trust });
    const [slow, quick] = [edge.send(edge.newSession()), edge.send(edge.newSession())];
    const [unanswered, answered] = edge.pendingAcquires;
    edge.clock.advanceMs(100);
    answered?.answer(200, live());
    edge.clock.advanceMs(150);
    unanswered?.timeOut();
    expect(statusesOf([slow, quick])).toEqual([503, 200]);
    expect(slow.local).toMatchObject({ details: "sluice_busy" });
    const later = edge.send(edge.newSession());
    edge.clock.advanceMs(ACQUIRE_TIMEOUT_MS);
    edge.callout.timeOut();
    expect(later.status).toBe(200);
  });

  it.each([
    ["with 400", '{"error":{"code":"INVALID_REQUEST","field":"edge"}}'],
    ["that it asks about no session", '{"error":{"code":"INVALID_REQUEST","field":"session"}}'],
  ])("a call that times out while another is told %s gives its sessions 503 under trust", (_what, body) => {
    const edge = new Edge({ policy: trust });
    const slow = edge.send(edge.newSession());
    edge.send(edge.newSession());
    const [unanswered, rejected] = edge.pendingAcquires;
    edge.clock.advanceMs(100);
    rejected?.answer(400, body);
    edge.clock.advanceMs(150);
    unanswered?.timeOut();
    expect(slow).toMatchObject({ status: 503, local: { details: "sluice_busy" } });
  });

  it("a call that breaks follows onUnreachable, also while others are answered", () => {
    const edge = new Edge({ policy: trust });
    const waiting = edge.send(edge.newSession());
    edge.send(edge.newSession());
    const [failing, answered] = edge.pendingAcquires;
    edge.clock.advanceMs(10);
    answered?.answer(200, live());
    failing?.answer(503, "{}");
    expect(waiting.status).toBe(200);
  });

  it("a queued session for which no call comes back in time gets 503, and when to try again", () => {
    const edge = new Edge({ policy: trust });
    fillCalls(edge);
    const { streams } = queued(edge, 3);
    edge.passMs(ACQUIRE_TIMEOUT_MS - TICK_MS);
    expect(streams.every(({ paused }) => paused)).toBe(true);
    edge.passMs(2 * TICK_MS);
    expect(statusesOf(streams)).toEqual([503, 503, 503]);
    expect(streams[0]?.responseHeaders?.get("retry-after")).toBe("1");
    expect(streams[0]?.local).toMatchObject({ details: "sluice_busy" });
    edge.flush();
    expect(edge.host.metrics.sum("sluice_misses_total", 'outcome="busy"')).toBe(3);
    expect(edge.table.records()).toEqual([]);
  });

  it("a queued session is asked about only while its answer would still count", () => {
    const edge = new Edge({ policy: policy({ controlPlane: { acquireTimeout: 4000 } }) });
    fillCalls(edge);
    const [early] = queued(edge, 1).streams;
    edge.passMs(ANSWER_VALID_MS - 4000 - TICK_MS);
    edge.pendingAcquires[0]?.answer(200, live());
    const last = edge.pendingAcquires.at(-1);
    const [late] = queued(edge, 1).streams;
    edge.passMs(ANSWER_VALID_MS - 4000 + TICK_MS);
    expect(late).toMatchObject({ status: 503, local: { details: "sluice_busy" } });
    edge.passMs(4000 - (ANSWER_VALID_MS - 4000) - TICK_MS);
    last?.answer(200, live());
    expect(early?.status).toBe(200);
  });

  it("a call that Envoy can no longer send answers its sessions at once as unreachable", () => {
    const edge = new Edge({ policy: trust });
    fillCalls(edge);
    const { streams } = queued(edge, 70);
    edge.host.dispatchResult = 10;
    edge.pendingAcquires[0]?.answer(200, live());
    expect(new Set(statusesOf(streams))).toEqual(new Set([200]));
    edge.host.dispatchResult = 0;
    expect(edge.send(edge.newSession()).paused).toBe(true);
  });

  it("a record that is to be asked about stands where its session waits in vain", () => {
    const edge = new Edge({ policy: trust });
    const session = edge.sessionInTable({ tokens: 4 });
    edge.clock.advanceMs(60_001);
    fillCalls(edge);
    const waiting = edge.send(session);
    expect(waiting.paused).toBe(true);
    edge.passMs(ACQUIRE_TIMEOUT_MS + TICK_MS);
    expect(waiting.status).toBe(200);
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 3 });
  });

  it("a flood of 840 sessions gives the 40 revoked ones 401 and all others 200", () => {
    const edge = new Edge({ policy: trust, settings: { table: { capacity: 4096 } } });
    const { sessions, streams } = queued(edge, 840);
    const revoked = new Set(sessions.filter((_, index) => index % 21 === 0).map(({ id }) => id));
    answerAll(edge, (id) => (revoked.has(id) ? endedAnswer("revoked") : live()));
    expect(streams.map(({ status }) => status)).toEqual(sessions.map(({ id }) => (revoked.has(id) ? 401 : 200)));
    expect(edge.acquires).toHaveLength(MAX_CALLS_OUT + Math.ceil((840 - MAX_CALLS_OUT) / MAX_ACQUIRE_SESSIONS));
  });

  it("sessions whose settings are gone leave the queue, and the table of those asked about", () => {
    const edge = new Edge({ policy: trust });
    for (let round = 0; round < 40; round++) {
      const { streams } = queued(edge, 2 * MAX_CALLS_OUT);
      edge.worker(0).configure(settings(trust));
      for (const stream of streams) stream.abandon();
      expect(edge.send(edge.newSession()).paused).toBe(true);
    }
    expect(edge.worker(0).failure).toBeUndefined();
  });
});

describe("an answer about many sessions that a worker reads", () => {
  it("an answer names a session of the batch by an id in capitals too", () => {
    const edge = new Edge();
    fillCalls(edge);
    const { streams } = queued(edge, 2);
    edge.pendingAcquires[0]?.answer(200, live());
    const batch = edge.pendingAcquires.at(-1);
    if (batch === undefined) throw new Error("no batch");
    batch.answer(
      200,
      batchAnswer(batch, live).replace(/"session":"[^"]+"/g, (text) =>
        text.toUpperCase().replace("SESSION", "session"),
      ),
    );
    expect(statusesOf(streams)).toEqual([200, 200]);
  });
});
