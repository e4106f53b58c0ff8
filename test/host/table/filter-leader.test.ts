// One VM of an Envoy leads its table: the others leave the watch to it, and none of them can do harm by waking up late.
import { describe, expect, it } from "vitest";
import { LEADER_LEASE_MS, TICK_MS } from "../../../assembly/contract.js";
import type { Callout } from "../harness/host/callouts.js";
import { leaseOf, logCursorOf } from "../harness/scenes/edge-keys.js";
import { CURSOR, LOG, OTHER_LOG, policy, resetAnswer, watchAnswer, settings } from "../harness/scenes/documents.js";
import { Edge, requestWith } from "../harness/scenes/edge.js";
import type { HostCall } from "../harness/host/host-calls.js";
import type { Vm } from "../harness/host/vm.js";

function watchers(edge: Edge): Vm[] {
  return [...new Set(edge.watches.filter((watch) => watch.state === "pending").map((watch) => watch.vm))];
}

/** Three workers, the first of which leads and watches. */
function ledEdge(): { edge: Edge; watch: Callout } {
  const edge = new Edge({ workers: 3 });
  edge.sessionInTable();
  edge.flush();
  return { edge, watch: edge.watch };
}

describe("the workers of one Envoy", () => {
  it("the workers of an Envoy keep one watch out, that of the first to tick", () => {
    const { edge, watch } = ledEdge();
    edge.passMs(10_000);
    expect(edge.watches).toEqual([watch]);
    expect(watch.vm).toBe(edge.worker(0));
  });

  it("all workers of an Envoy report, whoever leads", () => {
    const { edge } = ledEdge();
    expect(new Set(edge.reports.map((report) => report.vm)).size).toBe(3);
  });

  it("the leader renews its lease each second or so, not at each tick", () => {
    const { edge } = ledEdge();
    const before = leaseOf(edge.host.sharedData);
    edge.passMs(500);
    expect(leaseOf(edge.host.sharedData)).toEqual(before);
    edge.passMs(1000);
    const after = leaseOf(edge.host.sharedData);
    expect(after?.holder).toBe(before?.holder);
    expect(after?.untilUs).toBeGreaterThan(before?.untilUs ?? 0n);
  });

  it("a leader whose thread hangs is replaced within the lease", () => {
    const { edge } = ledEdge();
    const [, second, third] = edge.workers;
    for (let passed = 0; passed < LEADER_LEASE_MS - TICK_MS; passed += TICK_MS) {
      edge.clock.advanceMs(TICK_MS);
      second?.tick();
      third?.tick();
    }
    expect(watchers(edge)).toEqual([edge.worker(0)]);
    edge.clock.advanceMs(TICK_MS);
    second?.tick();
    third?.tick();
    expect(watchers(edge)).toEqual([edge.worker(0), second]);
  });

  it("a leader whose VM is reloaded is replaced within the lease, even by the new VM", () => {
    const { edge } = ledEdge();
    edge.reload(0);
    edge.passMs(LEADER_LEASE_MS - TICK_MS);
    expect(watchers(edge)).toEqual([]);
    edge.passMs(TICK_MS);
    expect(watchers(edge)).toHaveLength(1);
  });

  it("one of two workers that take a free lease together wins", () => {
    const edge = new Edge({ workers: 2 });
    const takesLease = (call: HostCall): boolean =>
      call.vm === edge.worker(0) &&
      call.name === "proxy_set_shared_data" &&
      leaseOf(edge.host.sharedData) === undefined;
    edge.host.hooks.once("before", takesLease, () => {
      edge.worker(1).tick();
    });
    edge.worker(0).tick();
    expect(edge.host.hooks.waiting).toBe(0);
    expect(watchers(edge)).toEqual([edge.worker(1)]);
  });
});

describe("a change of settings", () => {
  it("a new root in the leader's VM watches on at its first tick", () => {
    const { edge, watch } = ledEdge();
    const changed = settings(policy());
    edge.worker(0).configure(changed);
    edge.passMs(TICK_MS);
    expect(watch.state).toBe("cancelled");
    expect(edge.watch.vm).toBe(edge.worker(0));
    expect(edge.watch.json).toMatchObject({ log: LOG, since: CURSOR });
  });

  it("only the new root watches while a stream of the old settings goes on", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    const slow = edge.worker(0).open(requestWith(session));
    edge.flush();
    const old = edge.watch;
    edge.worker(0).configure(settings(policy()));
    edge.passMs(TICK_MS);
    if (old.state === "pending") old.answer(200, watchAnswer({}));
    edge.passMs(10_000);
    const roots = edge.watches.filter((watch) => watch.state === "pending").map((watch) => watch.root);
    expect(roots).toEqual([edge.worker(0).roots().at(-1)]);
    slow.respond();
  });
});

describe("an old leader that wakes up", () => {
  /** The first worker slept past its lease with its watch out; the second leads now and watches too. */
  function afterSleep(): { edge: Edge; old: Callout; fresh: Callout } {
    const { edge, watch } = ledEdge();
    edge.clock.advanceMs(LEADER_LEASE_MS);
    edge.worker(1).tick();
    const fresh = edge.watches.find((other) => other.vm === edge.worker(1));
    if (fresh === undefined) throw new Error("the second worker does not watch");
    return { edge, old: watch, fresh };
  }

  it("an old leader does not watch on", () => {
    const { edge, old } = afterSleep();
    old.answer(200, watchAnswer({}));
    expect(watchers(edge)).toEqual([edge.worker(1)]);
  });

  it("an old leader's marks do no harm where the new leader has marked too", () => {
    const { edge, old, fresh } = afterSleep();
    const session = edge.sessionInTable({}, 2);
    fresh.answer(200, watchAnswer({ revoked: [session.id], cursor: CURSOR + 3 }));
    const before = edge.table.record(session.id);
    old.answer(200, watchAnswer({ revoked: [session.id], cursor: CURSOR + 1 }));
    expect(edge.table.record(session.id)).toEqual(before);
    expect(logCursorOf(edge.host.sharedData)).toMatchObject({ cursor: CURSOR + 3, seen: CURSOR + 3 });
  });

  it("an old leader writes nothing when the edge follows another log by now", () => {
    const { edge, old, fresh } = afterSleep();
    const session = edge.sessionInTable({}, 2);
    fresh.answer(200, resetAnswer(900));
    edge.worker(1).tick();
    const logCursor = { log: OTHER_LOG, cursor: 900, seenLog: OTHER_LOG, seen: 900 };
    expect(logCursorOf(edge.host.sharedData)).toEqual(logCursor);
    old.answer(200, watchAnswer({ revoked: [session.id], cursor: 5000 }));
    expect(edge.table.record(session.id)?.live).toBe(true);
    expect(logCursorOf(edge.host.sharedData)).toEqual(logCursor);
  });

  it("an old leader fails to write when the log changes while it writes", () => {
    const { edge, old, fresh } = afterSleep();
    const session = edge.sessionInTable({}, 2);
    const writesSet = (call: HostCall): boolean =>
      call.vm === old.vm && call.name === "proxy_set_shared_data" && edge.table.isSetKey(call.key);
    edge.host.hooks.once("before", writesSet, () => {
      fresh.answer(200, resetAnswer(900));
      edge.worker(1).tick();
    });
    old.answer(200, watchAnswer({ revoked: [session.id], cursor: 5000 }));
    expect(edge.host.hooks.waiting).toBe(0);
    expect(edge.table.record(session.id)).toMatchObject({ live: true, unconfirmed: true });
    expect(logCursorOf(edge.host.sharedData)).toMatchObject({ log: OTHER_LOG, cursor: 900, seen: 900 });
  });

  it("an old leader gives up a reset that it had begun", () => {
    const { edge, old, fresh } = afterSleep();
    old.answer(200, resetAnswer(900));
    fresh.answer(200, resetAnswer(950));
    edge.worker(1).tick();
    edge.worker(0).tick();
    expect(logCursorOf(edge.host.sharedData)).toMatchObject({
      log: OTHER_LOG,
      cursor: 950,
      seenLog: OTHER_LOG,
      seen: 950,
    });
  });
});

describe("two leaders at once", () => {
  it("two leaders mark the same invalidations, and the later cursor of the two stays", () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const { edge, watch } = ledEdge();
      edge.clock.advanceMs(LEADER_LEASE_MS);
      edge.worker(1).tick();
      const sessions = Array.from({ length: 4 }, () => edge.sessionInTable({}, 2));
      const ids = sessions.map((session) => session.id);
      const both = [watch, edge.watches.find((other) => other.vm === edge.worker(1))];
      const answers = [
        watchAnswer({ revoked: ids.slice(0, 2), cursor: CURSOR + 2 }),
        watchAnswer({ revoked: ids.slice(0, 3), cursor: CURSOR + 3 }),
      ];
      for (const which of order) both[which]?.answer(200, answers[which]);
      expect(ids.map((id) => edge.table.record(id)?.live)).toEqual([false, false, false, true]);
      expect(logCursorOf(edge.host.sharedData)).toMatchObject({ cursor: CURSOR + 3, seen: CURSOR + 3 });
    }
  });

  it("two leaders never take the log cursor back", () => {
    const { edge, watch } = ledEdge();
    edge.clock.advanceMs(LEADER_LEASE_MS);
    edge.worker(1).tick();
    const fresh = edge.watches.find((other) => other.vm === edge.worker(1));
    const writes = (call: HostCall): boolean => call.vm === watch.vm && call.name === "proxy_set_shared_data";
    edge.host.hooks.once("before", writes, () => fresh?.answer(200, watchAnswer({ cursor: CURSOR + 9 })));
    watch.answer(200, watchAnswer({ cursor: CURSOR + 1 }));
    expect(edge.host.hooks.waiting).toBe(0);
    expect(logCursorOf(edge.host.sharedData)).toMatchObject({ cursor: CURSOR + 9, seen: CURSOR + 9 });
  });
});
