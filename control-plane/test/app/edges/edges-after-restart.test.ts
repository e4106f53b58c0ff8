// What a control plane knows of edges right after its start, by what an earlier process has stored.
import { describe, expect, it } from "vitest";

import { Confirmations } from "../../../src/app/edges/confirmations.js";
import { GONE_AFTER_MS } from "../../../src/app/edges/status/workers.js";
import { edgesPage } from "../../../src/app/edges/status/edge-pages.js";
import type { EdgeStatus } from "../../../src/app/ports/edge-status-ports.js";
import { MemoryLog } from "../../../src/store/memory/invalidation-log.js";
import { statusOf } from "../../contracts/edge-status-contract.js";
import { received, nobodyHangsUp, request, settled, T0, watchingMemory } from "../../support/watching.js";

const INSTANCE = request().instance;
const RESTARTED = "ffeeddccbbaa9988";
const MINUTE_MS = 60_000;
/** Twice the reportInterval of the policy of tests, 5 s, and 10 s. */
const WINDOW_MS = 20_000;
/** By how much what is stored may be late. */
const STORED_LATE_MS = 35_000;

/** Generation 1, as it is stored that an edge has heard of it. */
function receivedIn(state: string) {
  const { log, generation, hash } = received(1);
  return { log, generation, hash, state };
}

/** An edge as it was stored `agoMs` before the start: it watched, and had taken the policy of tests. */
function before(agoMs: number, fields: Partial<EdgeStatus> = {}): EdgeStatus {
  const { log, since, follow, filter, table } = request();
  const policy = receivedIn("ok");
  const times = { firstContactAtMs: T0 - agoMs - MINUTE_MS, lastContactAtMs: T0 - agoMs };
  return statusOf("gw-1", INSTANCE, { ...times, lastWatch: { log, since, follow, policy, filter, table }, ...fields });
}

function startedWith(...known: EdgeStatus[]) {
  const scene = watchingMemory(100, undefined, known);
  const { instances, policies, log, clock, watches, timers } = scene;
  const views = async () => (await edgesPage({ instances, policies, log, clock }, "", 1000)).edges;
  const states = async () => (await views()).map(({ edge, state }) => `${edge} ${state}`);
  const watch = async (fields: Parameters<typeof request>[0] = {}): Promise<void> => {
    void watches.watch(request(fields), nobodyHangsUp());
    await settled();
  };
  return { ...scene, views, states, watch, confirmations: new Confirmations(instances, timers) };
}

describe("after a restart of the control plane", () => {
  it("an edge that was there is waiting, with its last contact and the policy it received", async () => {
    const { views } = startedWith(before(3_000));
    expect(await views()).toMatchObject([
      {
        ...{ edge: "gw-1", state: "waiting", watching: false, silentWorkers: 0, running: {} },
        received: { generation: 1, state: "ok" },
        instances: [{ instance: INSTANCE, lastContactAt: T0 - 3_000, lastReportAt: null, workers: [] }],
      },
    ]);
  });

  it("an edge is current once it has watched again", async () => {
    const { states, watch } = startedWith(before(3_000));
    await watch();
    expect(await states()).toEqual(["gw-1 current"]);
  });

  it("an edge that rejected the policy is waiting until it says so again", async () => {
    const lastWatch = { ...request(), policy: receivedIn("rejected") };
    const { states, watch } = startedWith(before(0, { lastWatch }));
    expect(await states()).toEqual(["gw-1 waiting"]);
    await watch({ policy: received(1, { state: "rejected" }) });
    expect(await states()).toEqual(["gw-1 rejected"]);
  });

  it("an edge that does not come back is silent, and after 5 minutes no longer listed", async () => {
    const { states, timers } = startedWith(before(3_000));
    timers.advance(WINDOW_MS);
    expect(await states()).toEqual(["gw-1 waiting"]);
    timers.advance(1);
    expect(await states()).toEqual(["gw-1 silent"]);
    timers.advance(GONE_AFTER_MS - WINDOW_MS - 2);
    expect(await states()).toEqual(["gw-1 silent"]);
    timers.advance(1);
    expect(await states()).toEqual([]);
  });

  it("time in which no control plane ran does not make an edge silent", async () => {
    const { states } = startedWith(before(60 * MINUTE_MS));
    expect(await states()).toEqual(["gw-1 waiting"]);
  });

  it("an edge that was silent before is listed for the rest of its 5 minutes", async () => {
    const silent = before(4 * MINUTE_MS, { edge: "gw-2", watching: false });
    const { states, timers } = startedWith(before(0), silent);
    expect(await states()).toEqual(["gw-1 waiting", "gw-2 silent"]);
    timers.advance(MINUTE_MS + STORED_LATE_MS - 1);
    expect(await states()).toEqual(["gw-1 silent", "gw-2 silent"]);
    timers.advance(1);
    expect(await states()).toEqual(["gw-1 silent"]);
  });

  it("a contact that is stamped a year ahead makes no other edge look silent", async () => {
    const ahead = before(-365 * 24 * 60 * MINUTE_MS, { edge: "gw-2", watching: false });
    const { states } = startedWith(before(3_000, { watching: false }), ahead);
    expect(await states()).toEqual(["gw-1 waiting", "gw-2 waiting"]);
  });

  it("a plane that knows nothing stored lists no edge", async () => {
    expect(await startedWith().states()).toEqual([]);
  });
});

describe("a revocation after a restart", () => {
  it("a revocation is pending until an edge from before the restart watches again", async () => {
    const { confirmations, log, watch } = startedWith(before(3_000));
    log.append("revoked", "a", T0);
    const position = log.now();
    expect(confirmations.status(position)).toEqual({ edges: 1, confirmed: 0, pending: ["gw-1"] });
    const waited = confirmations.wait(position, 2_000);
    await watch({ since: 1 });
    expect(await waited).toEqual({ edges: 1, confirmed: 1, pending: [] });
  });

  it("a revocation is confirmed by an edge that had marked it before the restart", () => {
    const status = before(3_000);
    const { confirmations } = startedWith({ ...status, lastWatch: { ...request(), ...status.lastWatch, since: 9 } });
    expect(confirmations.status({ log: new MemoryLog().id, cursor: 9 })).toMatchObject({ pending: [] });
    expect(confirmations.status({ log: new MemoryLog().id, cursor: 10 })).toMatchObject({ pending: ["gw-1"] });
  });

  it("a revocation waits for no edge that was silent for 5 minutes in all", () => {
    const silent = before(4 * MINUTE_MS, { edge: "gw-2", watching: false });
    const { confirmations, log, timers } = startedWith(before(0), silent);
    log.append("revoked", "a", T0);
    expect(confirmations.status(log.now()).pending).toEqual(["gw-1", "gw-2"]);
    timers.advance(MINUTE_MS + STORED_LATE_MS);
    expect(confirmations.status(log.now()).pending).toEqual(["gw-1"]);
    timers.advance(GONE_AFTER_MS - MINUTE_MS - STORED_LATE_MS);
    expect(confirmations.status(log.now())).toEqual({ edges: 0, confirmed: 0, pending: [] });
  });

  it("a revocation waits for no former life of an Envoy that restarted long ago", async () => {
    const older = before(2 * MINUTE_MS, { watching: false });
    const { confirmations, log, watch } = startedWith(older, before(0, { instance: RESTARTED }));
    log.append("revoked", "a", T0);
    await watch({ instance: RESTARTED, since: 1 });
    expect(confirmations.status(log.now())).toEqual({ edges: 1, confirmed: 1, pending: [] });
  });
});

describe("an instance that only an earlier process has heard of", () => {
  const of = { edge: "gw-1", instance: INSTANCE };

  it("an edge that is away holds up idle expiry for 5 minutes, as an unknown one does", () => {
    const { instances, timers } = startedWith(before(10 * MINUTE_MS, { watching: false }));
    const unknown = { edge: "gw-1", instance: RESTARTED };
    const both = (): string[] => [of, unknown].map((one) => instances.status(one, WINDOW_MS));
    expect(both()).toEqual(["behind", "behind"]);
    timers.advance(GONE_AFTER_MS - 1);
    expect(both()).toEqual(["behind", "behind"]);
    timers.advance(1);
    expect(both()).toEqual(["gone", "gone"]);
  });

  it("an edge from before the restart is behind until one of its workers reports", () => {
    const { instances, clock } = startedWith(before(0));
    instances.acquired(of);
    expect(instances.status(of, WINDOW_MS)).toBe("behind");
    instances.reported(of, { worker: "w", more: false, arrivedAtMs: clock.monotonicMs() });
    expect(instances.status(of, WINDOW_MS)).toBe("current");
  });

  it("stored edges past the bound are passed over, the longest silent first", () => {
    const many = Array.from({ length: 65_537 }, (_, at) => before(at, { edge: `gw-${at}` }));
    const known = startedWith(...many).instances.known(WINDOW_MS);
    expect([known.length, known[0]?.edge, known.at(-1)?.edge]).toEqual([65_536, "gw-65535", "gw-0"]);
  });
});
