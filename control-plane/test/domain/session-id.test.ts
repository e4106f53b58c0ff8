// The order of session ids: that of creation, also where the clock goes back or stands still.
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";

import {
  idAfter,
  IDS_AHEAD_MS,
  newSessionId,
  SESSION_ID_RANDOM_BYTES,
  sessionIdCeiling,
} from "../../src/domain/session-id.js";
import { created, startTestControlPlane } from "../support/control-plane.js";
import { GRACE_MS } from "../support/idle-plane.js";
import { HOUR_MS } from "../support/sessions.js";
import { temporaryStore } from "../support/temporary-store.js";

const NOW_MS = Date.UTC(2026, 0, 1);
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const fresh = (ms: number): string => newSessionId(ms, randomBytes(SESSION_ID_RANDOM_BYTES));

describe("an id that follows the newest one", () => {
  it("a later id stays as it is, and so does the first of all", () => {
    const id = fresh(NOW_MS);
    expect(idAfter(undefined, id)).toBe(id);
    expect(idAfter(fresh(NOW_MS - 1), id)).toBe(id);
  });

  it("ids of one millisecond, or of a clock that went back, are in the order they were given", () => {
    const ids = [fresh(NOW_MS)];
    for (let i = 0; i < 10_000; i++) ids.push(idAfter(ids.at(-1), fresh(NOW_MS - (i % 3) * 1000)));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !UUID_V7.test(id))).toEqual([]);
    // The counter holds 4,096 a millisecond.
    expect((ids.at(-1) ?? "") < fresh(NOW_MS + 5)).toBe(true);
  });

  it("an id from far ahead is no ceiling for those of a clock that is right again", () => {
    expect(fresh(NOW_MS + IDS_AHEAD_MS) >= sessionIdCeiling(fresh(NOW_MS))).toBe(true);
    expect(fresh(NOW_MS + IDS_AHEAD_MS - 1) < sessionIdCeiling(fresh(NOW_MS))).toBe(true);
  });
});

describe("ids of sessions that a control plane issues", () => {
  it("sessions are listed in the order of their creation, also after the clock went back", async () => {
    const plane = await startTestControlPlane();
    const ids: string[] = [];
    const createSome = async (): Promise<void> => {
      for (let i = 0; i < 20; i++) ids.push((await created(plane)).session.id);
    };
    await createSome();
    plane.clock.step(-120_000);
    plane.ports.clock.nowMs();
    plane.clock.advance(GRACE_MS);
    await createSome();
    expect([...ids].sort()).toEqual(ids);
  });

  it("a session issued while the clock was a year ahead draws no later id after it", async () => {
    const plane = await startTestControlPlane();
    plane.clock.step(365 * 24 * HOUR_MS);
    const ahead = (await created(plane)).session;
    plane.clock.step(-365 * 24 * HOUR_MS);
    const first = (await created(plane)).session;
    const second = (await created(plane)).session;
    expect(first.id < second.id && second.id < ahead.id).toBe(true);
    expect(second.id < newSessionId(plane.clock.nowMs() + 2, new Uint8Array(SESSION_ID_RANDOM_BYTES))).toBe(true);
  });

  it("the id of a new session follows the newest in the store, not what a process remembers", async () => {
    const store = await temporaryStore();
    const plane = await startTestControlPlane(store);
    const { session: before } = await created(plane);
    plane.clock.step(-1000);
    const { session: after } = await created(plane);
    expect(after.id > before.id).toBe(true);
    expect(after.createdAt).toBe(before.createdAt - 1000);
  });
});
