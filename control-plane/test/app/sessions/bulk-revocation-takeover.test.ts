// A bulk revocation over a store that several control planes share: one of them carries it out, and another where that dies.
import { describe, expect, it, vi } from "vitest";

import { BulkRevocations } from "../../../src/app/sessions/bulk-revocations.js";
import type { Updates } from "../../../src/app/ports/update-ports.js";
import { MemoryStore } from "../../../src/store/memory/store.js";
import { claimedWork } from "../../support/claimed.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { ManualTimers } from "../../support/manual-timers.js";
import { sessionAt } from "../../support/sessions.js";
import { withVerbs } from "../../support/store-verbs.js";
import { settled } from "../../support/watching.js";

const NOW_MS = Date.UTC(2026, 0, 1);
/** A chunk is 200. */
const SESSIONS = 450;

async function opened() {
  const store = withVerbs(new MemoryStore());
  for (let i = 0; i < SESSIONS; i++) await store.create(sessionAt(NOW_MS + i));
  const clock = new FixedClock(NOW_MS + SESSIONS);
  const timers = new ManualTimers(clock);
  const ended: string[] = [];
  /** A process whose chunks are committed as long as `beforeChunk` lets them. */
  const process = (seed: number, claims = store.claims, beforeChunk: () => Promise<void> = () => Promise.resolve()) => {
    const chunks: string[] = [];
    const updates: Updates = {
      update: async (kind, wanted, decide) => {
        if (kind === "revocationChunk") {
          await beforeChunk();
          chunks.push(kind);
        }
        return store.update(kind, wanted, decide);
      },
    };
    const meter = { sessionCreated: vi.fn(), acquired: vi.fn(), sessionRemoved: (r: string) => void ended.push(r) };
    const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const random = { bytes: (n: number) => new Uint8Array(n).fill(seed) };
    const claimed = claimedWork(claims, { clock, logger });
    const parts = { store: store.revocations, updates, claimed, isShared: true, clock, timers, random, logger, meter };
    return { revocations: new BulkRevocations(parts), chunks };
  };
  /** Time passes in the store too. */
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 1000) {
      store.claims.pass(1000);
      timers.advance(1000);
      for (let turn = 0; turn < 20; turn++) await settled();
    }
  };
  return { store, process, pass, ended, timers };
}

describe("a bulk revocation that several control planes know of", () => {
  it("the control plane that was asked carries it out, and the others leave it to that", async () => {
    const { store, process, pass, ended } = await opened();
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const [asked, other] = [process(1, store.claims, () => held), process(2, store.claims.another())];
    await other.revocations.start();
    const { id } = await asked.revocations.revoke({ userId: "u1" }, "operator:ops");
    await pass(4000);
    expect(other.chunks).toEqual([]);
    goOn();
    await pass(9000);
    expect(await other.revocations.find(id)).toMatchObject({ examined: SESSIONS, revoked: SESSIONS });
    expect([asked.chunks.length, other.chunks.length, ended.length]).toEqual([3, 0, SESSIONS]);
    await Promise.all([asked.revocations.stop(), other.revocations.stop()]);
  });

  it("a control plane that dies in the middle is followed by another within 15 s, once for all", async () => {
    const { store, process, pass, ended } = await opened();
    let left = 1;
    const dies = (): Promise<void> => (left-- > 0 ? Promise.resolve() : new Promise(() => undefined));
    const [killed, other] = [process(1, store.claims, dies), process(2, store.claims.another())];
    await other.revocations.start();
    const { id } = await killed.revocations.revoke({ userId: "u1" }, "operator:ops");
    await pass(1000);
    expect(await other.revocations.find(id)).toMatchObject({ examined: 200, finishedAt: null });
    await pass(14_000);
    const { finishedAt, ...operation } = (await other.revocations.find(id)) ?? { finishedAt: null };
    expect(finishedAt).not.toBeNull();
    expect(operation).toMatchObject({ examined: SESSIONS, revoked: SESSIONS });
    expect([(await store.position()).cursor, ended.length]).toEqual([SESSIONS, SESSIONS]);
    await other.revocations.stop();
  });

  it("a control plane that is stopped in order is followed by another with its next look", async () => {
    const { store, process, pass } = await opened();
    const asked = process(1);
    const { id } = await store.revocations.begin("0192f0c1-0000-7000-8000-000000000000", { userId: "u1" }, NOW_MS);
    const other = process(2, store.claims.another());
    await asked.revocations.start();
    await asked.revocations.stop();
    expect((await store.revocations.find(id))?.finishedAt).toBeNull();
    await other.revocations.start();
    await pass(3000);
    expect(await other.revocations.find(id)).toMatchObject({ revoked: SESSIONS });
    await other.revocations.stop();
  });

  it("a control plane goes on looking for what others left after a look that failed", async () => {
    const { store, process, pass, timers } = await opened();
    const one = process(1);
    await one.revocations.start();
    const { id } = await store.revocations.begin("0192f0c1-0000-7000-8000-000000000000", { userId: "u1" }, NOW_MS);
    vi.spyOn(store.revocations, "unfinished").mockRejectedValueOnce(new Error("page 17 is torn"));
    await pass(3000);
    expect(await store.revocations.find(id)).toMatchObject({ revoked: 0 });
    await pass(3000);
    expect(await store.revocations.find(id)).toMatchObject({ revoked: SESSIONS });
    await one.revocations.stop();
    expect(timers.pending).toBe(0);
  });
});
