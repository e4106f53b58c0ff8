// Races between the workers of one Envoy, forced: what a second worker does, it does inside a host call of the first.
import { SET_BYTES } from "../../../assembly/contract.js";
import { describe, expect, it } from "vitest";
import { INSTANCE_BYTES } from "../harness/scenes/edge-keys.js";
import { liveAnswer, plan, policy } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import type { HostCall } from "../harness/host/host-calls.js";
import { writesSet } from "../harness/scenes/host-call-matches.js";
import { sessionsOfOneSet } from "../harness/scenes/same-set-sessions.js";
import type { Vm } from "../harness/host/vm.js";

const CAS_TRIES = 32;

function twoWorkers(): { edge: Edge; a: Vm; b: Vm } {
  const edge = new Edge({ workers: 2 });
  return { edge, a: edge.worker(0), b: edge.worker(1) };
}

describe("two workers miss the same session together", () => {
  it("the later answer of two does not refill what was spent meanwhile", () => {
    const { edge } = twoWorkers();
    const session = edge.newSession();
    const waiting = [edge.send(session, 0), edge.send(session, 1)];
    const [first, second] = edge.acquires;
    first?.answer(200, liveAnswer());
    expect(edge.admitted(session, 20, 0)).toBe(9);
    second?.answer(200, liveAnswer());
    expect(waiting.map((stream) => stream.status)).toEqual([200, 429]);
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 0, consumed: 10, rev: 10 });
  });

  it("an answer that finds a record between its read and write leaves its level", () => {
    const { edge, a } = twoWorkers();
    edge.sessionInTable();
    const session = sessionsOfOneSet(edge, 1)[0] ?? edge.newSession();
    const waiting = [edge.send(session, 0), edge.send(session, 1)];
    const [first, second] = edge.acquires.slice(-2);
    edge.host.hooks.once("before", writesSet(edge, a), () => {
      second?.answer(200, liveAnswer());
      expect(edge.admitted(session, 4, 1)).toBe(4);
    });
    first?.answer(200, liveAnswer());
    expect(edge.host.hooks.waiting).toBe(0);
    expect(waiting.map((stream) => stream.status)).toEqual([200, 200]);
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 4, consumed: 6, rev: 6 });
  });

  it("two workers that create one set both find a slot in it", () => {
    const { edge, a } = twoWorkers();
    const [one, other] = sessionsOfOneSet(edge, 2);
    if (one === undefined || other === undefined) throw new Error("two sessions are needed");
    const waiting = [edge.send(one, 0), edge.send(other, 1)];
    const [first, second] = edge.acquires;
    const createsSet = (call: HostCall): boolean =>
      call.vm === a && call.name === "proxy_set_shared_data" && Number(call.args[3]) === SET_BYTES;
    edge.host.hooks.once("before", createsSet, () => second?.answer(200, liveAnswer()));
    first?.answer(200, liveAnswer());
    expect(waiting.map((stream) => stream.status)).toEqual([200, 200]);
    expect(edge.table.setKeys()).toHaveLength(1);
    expect(edge.table.records().map((record) => record.levelTokens)).toEqual([9, 9]);
  });

  it("two workers that name the table's life both call by the name that won", () => {
    const { edge, a } = twoWorkers();
    const namesInstance = (call: HostCall): boolean =>
      call.vm === a && call.name === "proxy_set_shared_data" && Number(call.args[3]) === INSTANCE_BYTES;
    edge.host.hooks.once("before", namesInstance, () => edge.send(edge.newSession(), 1));
    edge.send(edge.newSession(), 0);
    expect(edge.host.hooks.waiting).toBe(0);
    const names = edge.acquires.map((callout) => (callout.json as { instance: string }).instance);
    expect(names).toHaveLength(2);
    expect(names[0]).toMatch(/^[0-9a-f]{16}$/);
    expect(names[1]).toBe(names[0]);
  });
});

describe("two workers spend from one bucket", () => {
  it("both spends count when the second falls between read and write of the first", () => {
    const { edge, a } = twoWorkers();
    const session = edge.sessionInTable();
    edge.host.hooks.once("before", writesSet(edge, a), () => {
      expect(edge.send(session, 1).status).toBe(200);
    });
    expect(edge.send(session, 0).status).toBe(200);
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 7, consumed: 3 });
    edge.flush();
    expect(edge.host.metrics.sum("sluice_cas_retries_total")).toBe(1);
  });

  it("only one of two workers gets the last token", () => {
    const { edge, a } = twoWorkers();
    const session = edge.sessionInTable({ tokens: 1 });
    edge.host.hooks.once("before", writesSet(edge, a), () => {
      expect(edge.send(session, 1).status).toBe(200);
    });
    expect(edge.send(session, 0).status).toBe(429);
    expect(edge.table.record(session.id)?.levelPico).toBe(0n);
  });

  it("a clock read before another worker's write neither loses time nor counts it twice", () => {
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
  ])("a spend gives up after 32 tries, and answers as onContention %s says", (onContention, status, passes) => {
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
    expect(edge.host.metrics.sum("sluice_cas_exhausted_total")).toBe(1);
    const decided = edge.host.metrics.sum(
      "sluice_requests_total",
      passes ? 'outcome="allowed"' : 'outcome="unavailable"',
    );
    const metered = edge.host.metrics.sum("sluice_requests_total", 'outcome="allowed"', "plan=");
    expect(passes ? decided - metered : decided, "unmetered, or denied").toBe(1);
    expect(edge.host.metrics.sum("sluice_cas_retries_total")).toBeGreaterThanOrEqual(CAS_TRIES - 1);
  });
});
