// An Envoy that is new at one control plane, while somebody revokes at another: it is waited for, or gets no such session.
import { describe, expect, it, onTestFinished } from "vitest";

import type { Acquired } from "../../../../src/app/edges/acquired.js";
import { OtherProcesses } from "../../../../src/app/edges/processes/other-processes.js";
import { EdgeRegistry } from "../../../../src/app/edges/status/edge-registry.js";
import { startStatusRecorder } from "../../../../src/app/edges/status/status-recorder.js";
import type { EdgeStatusStore } from "../../../../src/app/ports/edge-status-ports.js";
import { StoreUnwritable } from "../../../../src/app/ports/store-health.js";
import { MemoryStore } from "../../../../src/store/memory/store.js";
import { FixedClock } from "../../../support/fixed-clock.js";
import { ManualTimers } from "../../../support/manual-timers.js";
import { planeOn } from "../../../support/planes-of-one-store.js";
import { PoliciesInForce } from "../../../support/policies-in-force.js";
import { MINUTE_MS, OF, pass, SECOND_MS, SharedStore, two } from "../../../support/processes.js";
import type { ControlPlane } from "../../../support/processes.js";
import { quiet } from "../../../support/quiet-logger.js";
import { STARTER } from "../../../support/sessions.js";
import { withVerbs } from "../../../support/store-verbs.js";
import { POLICY, settled } from "../../../support/watching.js";

/** As an acquire does before it looks at the session. */
async function firstAcquire({ instances }: ControlPlane, of = OF): Promise<void> {
  instances.acquired(of);
  await instances.knownElsewhere(of);
}

function gate() {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    passed,
    open: () => {
      open();
    },
  };
}

/** A control plane over a store in memory, which stores first contacts as the test says, and a session of it. */
async function acquiring(stored: () => Promise<void> | undefined) {
  const clock = new FixedClock();
  const store = withVerbs(new MemoryStore());
  const storeTime = { timeMs: () => Promise.resolve(clock.nowMs()) };
  const timers = new ManualTimers(clock);
  const { instances, calls, end } = await planeOn({ store, storeTime, machine: clock, timers, plan: STARTER });
  onTestFinished(end);
  instances.storesFirst(stored);
  const id = await calls.issue("u1");
  return { store, id, calls, revoke: () => store.revoke(id, clock.nowMs()) };
}

describe("an edge's first acquire at one of several control planes", () => {
  it("a session that is revoked while the edge becomes known elsewhere is not given to it", async () => {
    const { passed, open } = gate();
    const { id, calls, revoke } = await acquiring(() => passed);
    let answer: Acquired | undefined;
    const answered = calls.acquire(id).then((one) => (answer = one));
    await settled();
    expect(answer).toBeUndefined();
    await revoke();
    open();
    expect(await answered).toMatchObject({ state: "revoked" });
  });

  it("an edge that cannot become known elsewhere is given no session, and told what is over", async () => {
    const { id, calls, revoke } = await acquiring(() => Promise.reject(new StoreUnwritable("it is full")));
    await expect(calls.acquire(id)).rejects.toThrow("it is full");
    await revoke();
    expect(await calls.acquire(id)).toMatchObject({ state: "revoked" });
  });

  it("a revocation waits for an edge that got its first session elsewhere a moment before", async () => {
    const { store, one, other, both } = await two();
    await firstAcquire(other);
    store.log.append("revoked", "a-session", 1);
    const position = store.log.now();
    expect(await one.confirmations.wait(position, 0)).toEqual({ edges: 1, confirmed: 0, pending: ["gw-1"] });
    let isOver = false;
    const waited = one.confirmations.wait(position, 10 * SECOND_MS).then((status) => {
      isOver = true;
      return status;
    });
    await pass(SECOND_MS, both, 100);
    expect(isOver).toBe(false);
    other.watch({ since: 1 });
    await pass(2 * SECOND_MS, both, 100);
    expect(await waited).toEqual({ edges: 1, confirmed: 1, pending: [] });
  });

  it("a revocation whose control plane cannot read what others heard is not said to be confirmed", async () => {
    const { store, one } = await two();
    store.isAway = true;
    for (const timeoutMs of [0, SECOND_MS])
      await expect(one.confirmations.wait(store.log.now(), timeoutMs)).rejects.toThrow("the store is away");
    expect(one.timers.pending).toBe(2);
  });

  it("an edge is stored once for its first acquire, and again only when it was gone", async () => {
    const { store, other, both } = await two();
    await firstAcquire(other);
    expect(store.writes.statuses).toBe(1);
    expect(other.instances.knownElsewhere(OF)).toBeUndefined();
    await pass(7 * MINUTE_MS, both, 5 * SECOND_MS);
    expect(other.instances.knows(OF)).toBe(false);
    other.instances.acquired(OF);
    expect(other.instances.knownElsewhere(OF)).toBeInstanceOf(Promise);
  });

  it("an edge that was silent for as long as its former life would be is stored again first", async () => {
    const { store, one, other, both } = await two();
    const twin = { ...OF, instance: "ffeeddccbbaa9988" };
    other.watch({ instance: twin.instance });
    await firstAcquire(other);
    await pass(MINUTE_MS, both);
    store.log.append("revoked", "a-session", 1);
    const position = store.log.now();
    other.watch({ instance: twin.instance, since: 1 });
    await pass(3 * SECOND_MS, both);
    expect(await one.confirmations.wait(position, 0)).toMatchObject({ pending: [] });
    await firstAcquire(other);
    expect(await one.confirmations.wait(position, 0)).toMatchObject({ pending: ["gw-1"] });
    expect(other.instances.knownElsewhere(twin)).toBeUndefined();
  });

  it("the first acquires of many edges at once are one write, and none waits for a look", async () => {
    const { store, other } = await two();
    const sizes: number[] = [];
    store.written = (statuses) => sizes.push(statuses.length);
    const edges = Array.from({ length: 300 }, (_, at) => ({ ...OF, edge: `gw-${at}` }));
    await Promise.all(edges.map((of) => firstAcquire(other, of)));
    expect(sizes).toEqual([300]);
  });

  it("an edge whose row went with the store's former log is stored again before its next session", async () => {
    const { store, other } = await two();
    await firstAcquire(other);
    store.statuses.setBack();
    store.logId = "another";
    await pass(SECOND_MS, [other]);
    expect(await store.of("other").all()).toEqual([]);
    await firstAcquire(other);
    expect(await store.of("other").all()).toHaveLength(1);
  });

  it("a control plane that others took to be gone stores each edge anew before its next session", async () => {
    const { store, one, other } = await two();
    await firstAcquire(other);
    // It stands still for a minute, and another one goes on.
    await pass(MINUTE_MS, [one]);
    other.clock.advance(MINUTE_MS);
    await pass(SECOND_MS, [other]);
    store.statuses.forget("other");
    other.instances.acquired(OF);
    await other.instances.knownElsewhere(OF);
    await one.others.heardAll();
    expect(one.instances.knownOf("gw-1", 0)).toHaveLength(1);
  });
});

/** A registry whose statuses go to this store. */
function recorded(statuses: EdgeStatusStore, store: SharedStore) {
  const clock = new FixedClock();
  const timers = new ManualTimers(clock);
  const registry = new EdgeRegistry({ clock, policies: new PoliciesInForce(clock, POLICY) });
  const { shared } = statuses;
  if (shared === undefined) throw new Error("it is shared");
  const parts = { registry, clock, timers, logger: quiet };
  const others = new OtherProcesses({ ...parts, shared, log: store });
  startStatusRecorder({ ...parts, store: statuses, stored: [], others });
  return { registry, timers, others };
}

describe("what is under way while an edge comes", () => {
  it("none of the edges that come at once is known before the write of them all is done", async () => {
    const store = new SharedStore();
    const statuses = store.of("one");
    const { passed, open } = gate();
    const write: EdgeStatusStore["write"] = async (...changed) => {
      await passed;
      await statuses.write(...changed);
    };
    const { registry } = recorded({ ...statuses, write }, store);
    const known: string[] = [];
    const coming = ["gw-1", "gw-2"].map(async (edge) => {
      registry.acquired({ ...OF, edge });
      await registry.knownElsewhere({ ...OF, edge });
      known.push(edge);
    });
    await settled();
    expect(known).toEqual([]);
    open();
    await Promise.all(coming);
    expect(await statuses.all()).toHaveLength(2);
  });

  it("an edge that comes back while it is being removed is stored again first", async () => {
    const store = new SharedStore();
    const statuses = store.of("one");
    const removal = gate();
    // Writes are done in their order.
    let last = Promise.resolve();
    const write: EdgeStatusStore["write"] = (changed, gone) => {
      last = last.then(async () => {
        if (gone.length > 0) await removal.passed;
        await statuses.write(changed, gone);
      });
      return last;
    };
    const { registry, timers } = recorded({ ...statuses, write }, store);
    registry.acquired(OF);
    await registry.knownElsewhere(OF);
    timers.advance(6 * MINUTE_MS);
    registry.acquired(OF);
    const known = registry.knownElsewhere(OF);
    expect(known).toBeInstanceOf(Promise);
    removal.open();
    await known;
    expect(registry.knownElsewhere(OF)).toBeUndefined();
    expect(await statuses.all()).toHaveLength(1);
  });

  it("a reading that had begun before an edge came does not count as one after it", async () => {
    const store = new SharedStore();
    const [mine, theirs] = [store.of("one"), store.of("other")];
    const reading = gate();
    let readings = 0;
    const changedAfter: typeof mine.shared.changedAfter = async (...asked) => {
      readings += 1;
      const said = await mine.shared.changedAfter(...asked);
      if (readings === 1) await reading.passed;
      return said;
    };
    const { registry, others } = recorded({ ...mine, shared: { ...mine.shared, changedAfter } }, store);
    const before = others.heardAll();
    await settled();
    await theirs.shared.beat(0, false);
    await theirs.write([{ ...OF, firstContactAtMs: 0, lastContactAtMs: 0, watching: false, lastWatch: undefined }], []);
    const after = [others.heardAll(), others.heardAll()];
    reading.open();
    await before;
    expect(registry.knows(OF)).toBe(false);
    await Promise.all(after);
    expect([registry.knows(OF), readings]).toEqual([true, 2]);
  });
});
