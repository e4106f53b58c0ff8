// A revocation is final once the edge has heard of it, against every acquire that comes late: forced, one order a test.
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

function expectRefused({ edge, session, waiting }: Scene): void {
  expect(waiting.paused).toBe(true);
  expect(edge.table.record(session.id)).toBeUndefined();
  edge.callout.answer(200, afterwards);
  expect(waiting).toMatchObject({ status: 401, reachedUpstream: false });
  expect([0, 1].map((worker) => edge.send(session, worker).status)).toEqual([401, 401]);
}

type Match = (call: HostCall) => boolean;

describe("a revocation that the edge hears of while a positive answer is under way", () => {
  it("before the answer's set is read: the answer is out of date and asked again", () => {
    const here = scene();
    here.revoke();
    here.acquire.answer(200, liveAnswer());
    expectRefused(here);
  });

  it.each(["before", "after"] as const)("right %s the answer's read of the set: asked again", (moment) => {
    const here = scene();
    here.edge.host.hooks.once(moment, readsSet(here.edge, here.edge.worker(1)), here.revoke);
    here.acquire.answer(200, liveAnswer());
    expect(here.edge.host.hooks.waiting).toBe(0);
    expectRefused(here);
  });

  it("between its read of the place and its write: the write is refused, and it is asked again", () => {
    const here = scene();
    const readsPlace: Match = (call) =>
      call.vm === here.edge.worker(1) && call.name === "proxy_get_shared_data" && isLogCursorKey(call.key);
    here.edge.host.hooks.once("after", readsPlace, here.revoke);
    here.acquire.answer(200, liveAnswer());
    expect(here.edge.host.hooks.waiting).toBe(0);
    expectRefused(here);
  });

  it("right before its write: the write is refused, for the leader wrote the set though nothing changed in it", () => {
    const here = scene();
    here.edge.host.hooks.once("before", writesSet(here.edge, here.edge.worker(1)), here.revoke);
    here.acquire.answer(200, liveAnswer());
    expect(here.edge.host.hooks.waiting).toBe(0);
    expectRefused(here);
  });

  it("right after its write: the leader finds the record and ends it; what waited was let in before", () => {
    const here = scene();
    here.edge.host.hooks.once("after", writesSet(here.edge, here.edge.worker(1)), here.revoke);
    here.acquire.answer(200, liveAnswer());
    expect(here.edge.host.hooks.waiting).toBe(0);
    expect(here.waiting.status).toBe(401);
    expect(here.edge.table.record(here.session.id)?.live).toBe(false);
  });

  it.each(["before", "after"] as const)("right %s the set is created, which was absent: asked again", (moment) => {
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
    expectRefused({ edge, session, waiting, acquire: edge.callout, revoke });
  });

  it("by another worker's acquire: it is in force for the answer that was made before it", () => {
    const here = scene();
    const other = here.edge.send(here.session, 0);
    here.edge.pendingAcquires.find((acquire) => acquire !== here.acquire)?.answer(200, afterwards);
    here.edge.table.patch(here.session.id, (record) => record.fill(0));
    here.acquire.answer(200, liveAnswer());
    expect(other.status).toBe(401);
    expectRefused(here);
  });
});

describe("a session whose revocation was the first thing that the edge heard from the control plane", () => {
  it("is not let in by an answer that was made before, though its ended record has made room for others", () => {
    const edge = new Edge({ workers: 2, policy: policy({ onUnreachable: "deny" }) });
    const [session, ...others] = sessionsOfOneSet(edge, RECORDS_PER_SET + 1);
    if (session === undefined) throw new Error("a session is needed");
    const late = edge.send(session, 0);
    const early = edge.callout;
    const refused = edge.send(session, 1);
    edge.pendingAcquires.at(-1)?.answer(200, endedAnswer("revoked", 60_000, CURSOR + 1));
    expect(refused.status).toBe(401);
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
