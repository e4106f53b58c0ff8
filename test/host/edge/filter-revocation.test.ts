// A revocation is final once it has reached the edge, against every acquire that comes late: forced, one order a test.
import { describe, expect, it } from "vitest";
import { RECORDS_PER_SET } from "../../../assembly/contract.js";
import { isLogCursorKey } from "../harness/scenes/edge-keys.js";
import { CURSOR, endedAnswer, liveAnswer, policy, watchAnswer } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { readsSet, writesSet } from "../harness/scenes/host-call-matches.js";
import type { HostCall } from "../harness/host/host-calls.js";
import { scene, type Scene } from "../harness/scenes/revocation-scene.js";
import { sessionsOfOneSet } from "../harness/scenes/same-set-sessions.js";

/** What the control plane says of a session after its revocation. */
const afterwards = endedAnswer("revoked", 60_000, CURSOR + 1);

function expectDenied({ edge, session, waiting }: Scene): void {
  expect(waiting.paused).toBe(true);
  expect(edge.table.record(session.id)).toBeUndefined();
  edge.callout.answer(200, afterwards);
  expect(waiting).toMatchObject({ status: 401, reachedUpstream: false });
  expect([0, 1].map((worker) => edge.send(session, worker).status)).toEqual([401, 401]);
}

type Match = (call: HostCall) => boolean;

describe("a revocation that reaches the edge while a positive answer is under way", () => {
  it("a revocation before the set is read makes the answer outdated: it asks again", () => {
    const here = scene();
    here.revoke();
    here.acquire.answer(200, liveAnswer());
    expectDenied(here);
  });

  it.each(["before", "after"] as const)(
    "a revocation right %s the answer's read of the set makes it ask again",
    (moment) => {
      const here = scene();
      here.edge.host.hooks.once(moment, readsSet(here.edge, here.edge.worker(1)), here.revoke);
      here.acquire.answer(200, liveAnswer());
      expect(here.edge.host.hooks.waiting).toBe(0);
      expectDenied(here);
    },
  );

  it("a revocation between the read of the cursor and the write fails the write", () => {
    const here = scene();
    const readsPlace: Match = (call) =>
      call.vm === here.edge.worker(1) && call.name === "proxy_get_shared_data" && isLogCursorKey(call.key);
    here.edge.host.hooks.once("after", readsPlace, here.revoke);
    here.acquire.answer(200, liveAnswer());
    expect(here.edge.host.hooks.waiting).toBe(0);
    expectDenied(here);
  });

  it("a revocation right before the write fails it, though the set is unchanged", () => {
    const here = scene();
    here.edge.host.hooks.once("before", writesSet(here.edge, here.edge.worker(1)), here.revoke);
    here.acquire.answer(200, liveAnswer());
    expect(here.edge.host.hooks.waiting).toBe(0);
    expectDenied(here);
  });

  it("a revocation right after the write ends the record; what waited was let in", () => {
    const here = scene();
    here.edge.host.hooks.once("after", writesSet(here.edge, here.edge.worker(1)), here.revoke);
    here.acquire.answer(200, liveAnswer());
    expect(here.edge.host.hooks.waiting).toBe(0);
    expect(here.waiting.status).toBe(401);
    expect(here.edge.table.record(here.session.id)?.live).toBe(false);
  });

  it.each(["before", "after"] as const)(
    "a revocation right %s an absent set is created makes the answer ask again",
    (moment) => {
      const edge = new Edge({ workers: 2, policy: policy({ onUnreachable: "deny" }) });
      const [session] = sessionsOfOneSet(edge, 1);
      if (session === undefined) throw new Error("a session is needed");
      edge.sessionInTable();
      edge.flush();
      const waiting = edge.send(session, 1);
      const sets = edge.table.setKeys().length;
      const creates: Match = (call) => call.vm === edge.worker(1) && call.name === "proxy_set_shared_data";
      const revoke = (): void => {
        edge.watch.answer(200, watchAnswer({ revoked: [session.id] }));
      };
      edge.host.hooks.once(moment, creates, revoke);
      edge.callout.answer(200, liveAnswer());
      expect(edge.host.hooks.waiting).toBe(0);
      expect(edge.table.setKeys()).toHaveLength(sets + 1);
      expectDenied({ edge, session, waiting, acquire: edge.callout, revoke });
    },
  );

  it("a revocation from another worker's acquire holds for an older answer", () => {
    const here = scene();
    const other = here.edge.send(here.session, 0);
    here.edge.pendingAcquires.find((acquire) => acquire !== here.acquire)?.answer(200, afterwards);
    here.edge.table.patch(here.session.id, (record) => record.fill(0));
    here.acquire.answer(200, liveAnswer());
    expect(other.status).toBe(401);
    expectDenied(here);
  });
});

describe("a session whose revocation is the first news from the control plane", () => {
  it("a revoked session without a record is not let in by an older answer", () => {
    const edge = new Edge({ workers: 2, policy: policy({ onUnreachable: "deny" }) });
    const [session, ...others] = sessionsOfOneSet(edge, RECORDS_PER_SET + 1);
    if (session === undefined) throw new Error("a session is needed");
    const late = edge.send(session, 0);
    const early = edge.callout;
    const denied = edge.send(session, 1);
    edge.pendingAcquires.at(-1)?.answer(200, endedAnswer("revoked", 60_000, CURSOR + 1));
    expect(denied.status).toBe(401);
    for (const other of others) {
      edge.send(other, 1);
      edge.pendingAcquires.at(-1)?.answer(200, liveAnswer({ cursor: CURSOR + 1 }));
    }
    expect(edge.table.record(session.id)).toBeUndefined();
    early.answer(200, liveAnswer());
    expect(late.reachedUpstream).toBe(false);
    expect(edge.table.record(session.id)).toBeUndefined();
  });
});
