// Revocation of all sessions of a user or an organisation: what it ends, how it shows its progress, what it survives.
import { describe, expect, it, vi } from "vitest";

import { BulkRevocations } from "../../../src/app/sessions/bulk-revocations.js";
import type { BulkRevocationStore } from "../../../src/app/ports/revocation-ports.js";
import type { Updates } from "../../../src/app/ports/update-ports.js";
import type { LmdbStore } from "../../../src/store/lmdb/store.js";
import {
  ADMIN_TOKEN,
  created,
  expectError,
  ISSUER_TOKEN,
  shown,
  startTestControlPlane,
} from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import { received, request } from "../../support/watching.js";
import { claimedWork } from "../../support/claimed.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { ManualTimers } from "../../support/manual-timers.js";
import { quiet } from "../../support/quiet-logger.js";
import { sessionAt } from "../../support/sessions.js";
import { temporaryStore } from "../../support/temporary-store.js";
import { settled } from "../../support/watching.js";

interface Shown {
  readonly id: string;
  readonly state: string;
  readonly examined: number;
  readonly revoked: number;
  readonly finishedAt: number | null;
}

const NOW_MS = Date.UTC(2026, 0, 1);
const NEVER_BEFORE = "0192f0c1-0000-7000-8000-000000000000";
const shownIn = (body: unknown): Shown => (body as { revocation: Shown }).revocation;

/** Asks for it, and for its progress until it is finished. */
async function revokedAll(plane: TestControlPlane, query: string): Promise<Shown> {
  const answer = await plane.call("DELETE", `/v1/sessions?${query}`);
  expect(answer.status, answer.text).toBe(202);
  const { id } = shownIn(answer.body);
  expect(answer.headers.get("location")).toBe(`/v1/revocations/${id}`);
  for (;;) {
    const progress = shownIn((await plane.call("GET", `/v1/revocations/${id}`)).body);
    if (progress.state === "finished") return progress;
  }
}

const stateOf = async (plane: TestControlPlane, id: string): Promise<string> => (await shown(plane, id)).state;

describe("DELETE /v1/sessions", () => {
  it("DELETE /v1/sessions by userId ends every session of the user, and no other", async () => {
    const plane = await startTestControlPlane();
    const his = [await created(plane), await created(plane, { orgId: "o2" })];
    const hers = await created(plane, { userId: "u10" });
    expect(await revokedAll(plane, "userId=u1")).toMatchObject({ userId: "u1", examined: 2, revoked: 2 });
    for (const { session } of his) expect(await stateOf(plane, session.id)).toBe("revoked");
    expect(await stateOf(plane, hers.session.id)).toBe("live");
  });

  it("DELETE /v1/sessions by orgId ends every session of the organisation, and no other", async () => {
    const plane = await startTestControlPlane();
    const inside = await created(plane, { userId: "u2" });
    const outside = await created(plane, { orgId: "o10" });
    expect(await revokedAll(plane, "orgId=o1")).toMatchObject({ orgId: "o1", examined: 1, revoked: 1 });
    expect(await stateOf(plane, inside.session.id)).toBe("revoked");
    expect(await stateOf(plane, outside.session.id)).toBe("live");
  });

  it("sessions that are issued after a bulk revocation stay live", async () => {
    const plane = await startTestControlPlane();
    await created(plane);
    plane.clock.advance(1);
    await revokedAll(plane, "userId=u1");
    const later = await created(plane);
    expect(await stateOf(plane, later.session.id)).toBe("live");
  });

  it("edges receive each session of a bulk revocation once", async () => {
    const plane = await startTestControlPlane();
    const [one, two] = [await created(plane), await created(plane)];
    await plane.call("DELETE", `/v1/sessions/${one.session.id}`);
    expect(await revokedAll(plane, "userId=u1")).toMatchObject({ examined: 2, revoked: 1 });
    const { log } = await plane.store.position();
    const watched = await plane.watches.watch(
      request({ log, policy: received(1, { log }) }),
      new AbortController().signal,
    );
    expect(watched).toMatchObject({ answer: { cursor: 2, revoked: [one.session.id, two.session.id] } });
  });

  it("a bulk revocation of someone without sessions is finished at once", async () => {
    const plane = await startTestControlPlane();
    const answer = await plane.call("DELETE", "/v1/sessions?userId=nobody");
    expect([answer.status, shownIn(answer.body)]).toMatchObject([202, { state: "finished", examined: 0, revoked: 0 }]);
  });

  it("a bulk revocation is in the audit log with who asked for it", async () => {
    const plane = await startTestControlPlane();
    const { id } = await revokedAll(plane, "userId=u1");
    const [entry] = await plane.ports.audit.auditBefore(undefined, 1);
    expect(entry).toMatchObject({
      action: "sessions-revoked",
      sessionId: null,
      details: { revocationId: id, userId: "u1" },
    });
    expect(entry?.actor).toMatch(/^operator:/);
  });

  it("DELETE /v1/sessions is 400 for anything but exactly one filter", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    for (const query of ["", "?", "?userId=u1&orgId=o1"]) {
      expectError(await plane.call("DELETE", `/v1/sessions${query}`), "INVALID_REQUEST");
    }
    expectError(await plane.call("DELETE", "/v1/sessions?userId="), "INVALID_REQUEST", "userId");
    expectError(await plane.call("DELETE", "/v1/sessions?userId=u1&userId=u2"), "INVALID_REQUEST", "userId");
    expectError(await plane.call("DELETE", "/v1/sessions?user=u1"), "INVALID_REQUEST", "user");
    expect(await stateOf(plane, session.id)).toBe("live");
  });

  it("an issuer's token gets 403 for a bulk revocation", async () => {
    const plane = await startTestControlPlane();
    expectError(await plane.call("DELETE", "/v1/sessions?userId=u1", undefined, ISSUER_TOKEN), "FORBIDDEN");
    expectError(await plane.call("DELETE", "/v1/sessions?userId=u1", undefined, `${ADMIN_TOKEN}x`), "UNAUTHORIZED");
  });

  it("the progress of a revocation that never was is 404", async () => {
    const plane = await startTestControlPlane();
    expectError(await plane.call("GET", `/v1/revocations/${NEVER_BEFORE}`), "REVOCATION_NOT_FOUND");
    const said = expectError(await plane.call("GET", "/v1/revocations/nope"), "INVALID_REQUEST", "id");
    expect(said).toBe("id is wrong: expected a revocation's id: a UUIDv7 in lower case");
  });
});

describe("a bulk revocation that is cut short", () => {
  const random = { bytes: (n: number) => new Uint8Array(n).fill(7) };

  function runner(store: BulkRevocationStore, updates: Updates) {
    const clock = new FixedClock();
    const timers = new ManualTimers(clock);
    const ended: string[] = [];
    const meter = {
      sessionCreated: () => undefined,
      acquired: () => undefined,
      sessionRemoved: (r: string) => void ended.push(r),
    };
    const common = { clock, timers, random, logger: quiet, meter };
    const revocations = new BulkRevocations({ store, updates, claimed: claimedWork(), isShared: false, ...common });
    return { revocations, timers, ended };
  }

  const finished = async (store: LmdbStore, id: string) => {
    for (;;) {
      const operation = await store.revocations.find(id);
      if (operation !== undefined && operation.finishedAt !== null) return operation;
      await settled();
    }
  };

  it("a bulk revocation is answered as it is stored", async () => {
    const store = await temporaryStore();
    await store.create(sessionAt(NOW_MS));
    const { revocations } = runner(store.revocations, store);
    await revocations.stop();
    const waiting = await revocations.revoke({ userId: "u1" }, "operator");
    expect(waiting.finishedAt).toBeNull();
    expect(waiting).toEqual(await store.revocations.find(waiting.id));
  });

  it("a bulk revocation of nobody's sessions is finished at once, and is not carried out", async () => {
    const store = await temporaryStore();
    const { revocations } = runner(store.revocations, store);
    const update = vi.spyOn(store, "update");
    const { finishedAt } = await revocations.revoke({ userId: "nobody" }, "operator");
    await settled();
    expect([finishedAt, update.mock.calls.map(([kind]) => kind)]).toEqual([NOW_MS, ["newestSession"]]);
  });

  it("a bulk revocation goes on in the next process, and repeats nothing", async () => {
    const store = await temporaryStore();
    const sessions = Array.from({ length: 500 }, (_, i) => sessionAt(NOW_MS + i));
    await Promise.all(sessions.map((session) => store.create(session)));
    const { id } = await store.revocations.begin(NEVER_BEFORE, { userId: "u1" }, NOW_MS + 1000);
    expect(await store.revocations.expand(id, 300, NOW_MS + 1001)).toMatchObject({
      operation: { examined: 300, revoked: 300, finishedAt: null },
    });

    const { revocations, ended } = runner(store.revocations, store);
    await revocations.start();
    expect(await finished(store, id)).toMatchObject({ examined: 500, revoked: 500 });
    await revocations.stop();
    expect((await store.position()).cursor).toBe(500);
    expect(ended).toHaveLength(200);
    expect(await store.revocations.expand(id, 300, NOW_MS)).toMatchObject({ revoked: [] });
    expect((await store.position()).cursor).toBe(500);
  });

  it("a bulk revocation is tried again a little later when the store failed", async () => {
    const store = await temporaryStore();
    await store.create(sessionAt(NOW_MS));
    let failures = 1;
    const failing: Updates = {
      update: (kind, ...args) =>
        kind === "revocationChunk" && failures-- > 0 ? Promise.reject(new Error("disk")) : store.update(kind, ...args),
    };
    const { revocations, timers } = runner(store.revocations, failing);
    const { id } = await revocations.revoke({ userId: "u1" }, "operator:test");
    await settled();
    expect([timers.pending, (await store.revocations.find(id))?.finishedAt]).toEqual([1, null]);
    timers.advance(1000);
    expect(await finished(store, id)).toMatchObject({ revoked: 1 });
  });

  it("a bulk revocation is forgotten a while after it is finished, and never before", async () => {
    const store = await temporaryStore();
    await store.create(sessionAt(NOW_MS));
    await store.revocations.begin(NEVER_BEFORE, { userId: "u1" }, NOW_MS);
    expect(await store.revocations.forgetFinished(NOW_MS * 2, 10)).toBe(0);
    await store.revocations.expand(NEVER_BEFORE, 10, NOW_MS);
    expect(await store.revocations.forgetFinished(0, 10)).toBe(0);
    expect(await store.revocations.forgetFinished(NOW_MS * 2, 10)).toBe(1);
    expect(await store.revocations.find(NEVER_BEFORE)).toBeUndefined();
  });
});
