// The LMDB store: the contract, and what only a store on a disk can be asked.
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { LmdbStore } from "../../src/store/lmdb/store.js";
import { openStore } from "../support/temporary-store.js";
import type { StoreOfTests } from "../support/temporary-store.js";
import { openLayout, STORE_FILE } from "../../src/store/lmdb/layout.js";
import { edgeStatusContract } from "../contracts/edge-status-contract.js";
import { decision, policyContract } from "../contracts/policy-contract.js";
import { storeContract } from "../contracts/store-contract.js";
import { acquireSession } from "../../src/app/edges/acquire-session.js";
import { startTestControlPlane } from "../support/control-plane.js";
import { METERED, sessionAt, STARTER } from "../support/sessions.js";

const NOW_MS = Date.UTC(2026, 0, 1);
const random = { bytes: (n: number) => randomBytes(n) };

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "sluice-store-"));
  onTestFinished(() => {
    rmSync(made, { recursive: true, force: true });
  });
  return made;
}

async function openIn(path: string): Promise<StoreOfTests> {
  const store = await openStore(path);
  onTestFinished(() => store.close());
  return store;
}

describe("the LMDB store keeps the contract", () => {
  storeContract(() => openIn(folder()));
});

describe("policies in LMDB keep the contract", () => {
  policyContract(async () => (await openIn(folder())).policies);
});

describe("the status of edges in LMDB keeps the contract", () => {
  edgeStatusContract(async () => (await openIn(folder())).edgeStatus);
});

describe("the LMDB store", () => {
  it("sessions, log, cursor and policy survive a restart", async () => {
    const path = folder();
    const before = await openStore(path);
    const [kept, revoked] = [sessionAt(NOW_MS), sessionAt(NOW_MS)];
    await before.create(kept);
    await before.create(revoked);
    await before.revoke(revoked.id, NOW_MS + 1);
    await before.policies.savePolicy(decision(3), 0);
    const position = await before.position();
    await before.close();

    const after = await openIn(path);
    expect(await after.find(kept.id)).toEqual(kept);
    expect((await after.find(revoked.id))?.revokedAt).toBe(NOW_MS + 1);
    expect(await after.position()).toEqual(position);
    expect(await after.policies.policy(await after.policies.newestGeneration())).toEqual({ ...decision(3), position });
  });

  it("the folder is made where there is none, also below a missing one", async () => {
    const store = await openIn(join(folder(), "a.b", "c"));
    expect((await store.position()).cursor).toBe(0);
  });

  it("each store has a log of its own", async () => {
    const [one, other] = [await openIn(folder()), await openIn(folder())];
    expect((await one.position()).log).not.toBe((await other.position()).log);
  });

  it("a revocation shows only once it is committed, together with its log entry", async () => {
    const store = await openIn(folder());
    const session = sessionAt(NOW_MS);
    await store.create(session);
    const revocation = store.revoke(session.id, NOW_MS + 1);
    expect((await store.find(session.id))?.revokedAt).toBeNull();
    expect((await store.position()).cursor).toBe(0);
    await revocation;
    expect((await store.find(session.id))?.revokedAt).toBe(NOW_MS + 1);
    expect((await store.position()).cursor).toBe(1);
  });

  it("an acquire is answered with what was committed beside it, which edges may know", async () => {
    const { ports, store, clock } = await startTestControlPlane();
    const [asked, other] = [sessionAt(clock.nowMs()), sessionAt(clock.nowMs())];
    await store.create(asked);
    await store.create(other);
    const acquire = () => acquireSession(ports, asked.id, { edge: "gw-1", instance: "aaaaaaaaaaaaaaaa" });
    const [first] = await Promise.all([acquire(), store.revoke(other.id, NOW_MS + 1)]);
    expect(first).toMatchObject({ cursor: 1, state: "live" });
    const [second] = await Promise.all([acquire(), store.revoke(asked.id, NOW_MS + 2)]);
    expect(second).toMatchObject({ cursor: 2, state: "revoked" });
  });

  it("the time of an acquire shows in lists, after a change of plan and on a repeated creation", async () => {
    const store = await openIn(folder());
    const session = sessionAt(NOW_MS);
    const repeatable = { key: "k", requestHash: "h", keptSinceMs: 0 };
    const issue = { session, limit: null, repeatable, isLive: () => true };
    await store.operator.issue(issue);
    await store.usage.hold(session.id, { edge: "gw-1", instance: "aaaaaaaaaaaaaaaa" }, NOW_MS + 9, () => true);
    const lastActivity = NOW_MS + 9;
    expect(await store.operator.sessionsBefore({ by: "creation" }, undefined, 9)).toMatchObject([{ lastActivity }]);
    expect(await store.operator.issue(issue)).toMatchObject({ outcome: "repeated", session: { lastActivity } });
    const move = { plan: METERED, atMs: NOW_MS, isLive: () => true, actor: "a" };
    expect(await store.operator.changePlan(session.id, move)).toMatchObject({
      outcome: "changed",
      session: { lastActivity },
    });
  });

  it("more sessions than one step takes are counted", async () => {
    const store = await openIn(folder());
    const sessions = Array.from({ length: 20_001 }, (_, i) => sessionAt(NOW_MS + i));
    await Promise.all(sessions.map((session) => store.create(session)));
    expect(await store.countLive(STARTER.id, NOW_MS)).toBe(20_001);
    expect(await store.countLive(STARTER.id, NOW_MS + 1)).toBe(20_000);
  });

  it("a store of this schema is opened without a write, as on a full disk", async () => {
    const path = folder();
    await (await LmdbStore.open(path, random)).close();
    const before = readFileSync(join(path, STORE_FILE));
    await (await LmdbStore.open(path, random)).close();
    expect(readFileSync(join(path, STORE_FILE)).equals(before)).toBe(true);
  });

  it("a store of another schema is not opened, and its schema is named", async () => {
    const path = folder();
    const layout = openLayout(path, random);
    await layout.meta.put("schema", 99);
    await layout.env.close();
    await expect(LmdbStore.open(path, random)).rejects.toThrow("has schema 99");
  });

  it("each session is indexed by user, organisation, plan and activity", async () => {
    const path = folder();
    const store = await openStore(path);
    const session = sessionAt(NOW_MS, STARTER, "u9", "o9");
    const other = sessionAt(NOW_MS, STARTER, "u9", "o9");
    await store.create(session);
    await store.create(other);
    await store.revoke(other.id, NOW_MS + 1);
    await store.close();

    const { env, byUser, byOrg, byPlan, byActivity, invalidations } = openLayout(path, random);
    onTestFinished(() => env.close());
    const ids = [session.id, other.id].sort();
    expect([...byUser.getKeys()]).toEqual(ids.map((id) => ["u9", id]));
    expect([...byOrg.getKeys()]).toEqual(ids.map((id) => ["o9", id]));
    expect([...byPlan.getKeys()]).toEqual([[STARTER.id, session.id]]);
    expect([...byActivity.getKeys()]).toEqual(ids.map((id) => [STARTER.id, NOW_MS, id]));
    expect([...invalidations.getRange()]).toEqual([
      { key: 1, value: { kind: "revoked", sessionId: other.id, atMs: NOW_MS + 1 } },
    ]);
  });
});
