// Backup, restore, and stores of earlier schemas.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { LmdbStore } from "../../src/store/lmdb/store.js";
import { openStore } from "../support/temporary-store.js";
import type { StoreOfTests } from "../support/temporary-store.js";
import { backUpStore, restoreStore } from "../../src/store/lmdb/backup.js";
import { openLayout, SCHEMA, STORE_FILE } from "../../src/store/lmdb/layout.js";
import type { AuditEvent } from "../../src/domain/stored.js";
import { unchanged } from "../../src/domain/changes.js";
import { SPENT, raisedTo } from "../support/fleet-budgets.js";
import { sessionAt, STARTER } from "../support/sessions.js";
import { received, nobodyHangsUp, request, watchesOver } from "../support/watching.js";

const NOW_MS = Date.UTC(2026, 0, 1);
const random = { bytes: (n: number) => randomBytes(n) };

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "sluice-backup-"));
  onTestFinished(() => {
    rmSync(made, { recursive: true, force: true });
  });
  return made;
}

async function opened(path: string): Promise<StoreOfTests> {
  const store = await openStore(path);
  onTestFinished(() => store.close());
  return store;
}

/** A store with one live and one revoked session, its backup, and what happened since: the other one was revoked. */
async function backedUp() {
  const [data, file] = [folder(), join(folder(), "backup.mdb")];
  const store = await openStore(data);
  const [kept, revoked] = [sessionAt(NOW_MS), sessionAt(NOW_MS)];
  await store.create(kept);
  await store.create(revoked);
  await store.revoke(revoked.id, NOW_MS + 1);
  await backUpStore(data, file);
  await store.revoke(kept.id, NOW_MS + 2);
  const position = await store.position();
  await store.close();
  return { data, file, kept, revoked, position };
}

const withBudget = (store: StoreOfTests, sessionId: string): Promise<unknown> =>
  store.update("leases", [sessionId], () => ({ answer: 0, changes: { budgets: [{ sessionId, budget: SPENT }] } }));

describe("a backup", () => {
  it("a restored store has its fleet budgets and clock, in a life that begins by then", async () => {
    const [data, file] = [folder(), join(folder(), "backup.mdb")];
    const store = await openStore(data);
    const session = sessionAt(NOW_MS);
    await store.create(session);
    await withBudget(store, session.id);
    await raisedTo(store, 55);
    await backUpStore(data, file);
    const { log } = await store.position();
    await store.close();
    const other = folder();
    await restoreStore(file, other, { force: false, random });
    const restored = await opened(other);
    expect((await restored.usage.look(session.id)).found?.budget).toEqual(SPENT);
    const { life } = await restored.usage.look(session.id);
    // Whatever was leased after the backup may be in use still.
    expect(life).toStrictEqual({ beganMs: 55, newestId: session.id, fleetMs: 55 });
    const { answer } = await restored.update("leases", [session.id], unchanged);
    expect(answer.position.log).not.toBe(log);
  });

  it("a backup has what was there when it was made, also of a store in use", async () => {
    const { file, kept, revoked } = await backedUp();
    const other = folder();
    await restoreStore(file, other, { force: false, random });
    const store = await opened(other);
    expect(await store.find(kept.id)).toEqual(kept);
    expect((await store.find(revoked.id))?.revokedAt).toBe(NOW_MS + 1);
    expect((await store.position()).cursor).toBe(1);
  });

  it("a backup is one file that only its owner can read", async () => {
    const { file } = await backedUp();
    expect(readdirSync(dirname(file))).toEqual(["backup.mdb"]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("a backup touches nothing beside it, whatever its name", async () => {
    const [data, target] = [folder(), folder()];
    await (await openStore(data)).close();
    mkdirSync(join(target, "backup.mdb.part"));
    writeFileSync(join(target, "backup.mdb.part", "notes"), "kept");
    await backUpStore(data, join(target, "backup.mdb"));
    expect(readdirSync(target)).toEqual(["backup.mdb", "backup.mdb.part"]);
    expect(readdirSync(join(target, "backup.mdb.part"))).toEqual(["notes"]);
  });

  it("a backup leaves nothing behind where the store cannot be opened", async () => {
    const [data, target] = [folder(), folder()];
    mkdirSync(join(data, STORE_FILE));
    await expect(backUpStore(data, join(target, "backup.mdb"))).rejects.toThrow();
    expect(readdirSync(target)).toEqual([]);
  });

  it("a backup never replaces a file, and leaves none where there is no store", async () => {
    const { data, file } = await backedUp();
    await expect(backUpStore(data, file)).rejects.toThrow("exists");
    const nowhere = join(folder(), "backup.mdb");
    await expect(backUpStore(folder(), nowhere)).rejects.toThrow("there is no store");
    expect(existsSync(nowhere)).toBe(false);
  });
});

describe("a restore", () => {
  it("a restore gives the store a new log, so that every edge resets", async () => {
    const { data, file, position } = await backedUp();
    await restoreStore(file, data, { force: true, random });
    const store = await opened(data);
    const now = await store.position();
    expect(now.log).toMatch(/^[0-9a-f]{16}$/);
    expect(now.log).not.toBe(position.log);
    const { watches } = watchesOver(store.invalidations);
    for (const since of [0, now.cursor, position.cursor]) {
      const policy = received(1, { log: now.log });
      const watched = await watches.watch(request({ log: position.log, since, policy }), nobodyHangsUp());
      expect(watched).toEqual({ outcome: "answered", answer: { reset: true, ...now } });
    }
  });

  it("a restore gives another log each time, also from the same backup", async () => {
    const { data, file } = await backedUp();
    const logs = new Set<string>();
    for (let i = 0; i < 3; i++) {
      await restoreStore(file, data, { force: true, random });
      const store = await openStore(data);
      logs.add((await store.position()).log);
      await store.close();
    }
    expect(logs.size).toBe(3);
  });

  it("a restore leaves an existing store alone, unless it is to replace it", async () => {
    const { data, file, kept, position } = await backedUp();
    await expect(restoreStore(file, data, { force: false, random })).rejects.toThrow("--force");
    const store = await opened(data);
    expect(await store.position()).toEqual(position);
    expect((await store.find(kept.id))?.revokedAt).toBe(NOW_MS + 2);
  });

  it("a restore rejects a file that is no backup, and the store stays", async () => {
    const { data, position } = await backedUp();
    const text = join(folder(), "notes.txt");
    writeFileSync(text, "not a backup ".repeat(1000));
    await expect(restoreStore(text, data, { force: true, random })).rejects.toThrow("is no backup");
    await expect(restoreStore("/nowhere/b", data, { force: true, random })).rejects.toThrow("there is no backup");
    const store = await opened(data);
    expect(await store.position()).toEqual(position);
  });
});

describe("a store of schema 6", () => {
  it("a folder of before fleet budgets is brought to this schema, and keeps them from then on", async () => {
    const path = folder();
    const before = await opened(path);
    const session = sessionAt(NOW_MS);
    await before.create(session);
    await before.db.leases.drop();
    await before.db.env.transaction(() => {
      void before.db.meta.put("schema", 6);
      void before.db.meta.remove("began");
    });
    await before.close();
    const store = await opened(path);
    expect((await store.usage.look(session.id)).found).toEqual({ session, rows: [] });
    expect((await store.usage.look(session.id)).life).toStrictEqual({ beganMs: 0, newestId: "", fleetMs: 0 });
    await withBudget(store, session.id);
    expect((await store.usage.look(session.id)).found?.budget).toEqual(SPENT);
    expect(store.db.meta.get("schema")).toBe(SCHEMA);
  });
});

describe("a store of schema 4", () => {
  it("sessions of before issuers were kept have none, and no issuer's list has them", async () => {
    const path = folder();
    const before = await opened(path);
    const session = sessionAt(NOW_MS);
    await before.create(session);
    await before.db.env.transaction(() => void before.db.meta.put("schema", 4));
    await before.close();
    const store = await opened(path);
    expect(await store.find(session.id)).toEqual(session);
    expect([...store.db.byIssuer.getKeys()]).toEqual([]);
    const limit = { maxSessions: 1, onMaxSessions: "refuse" } as const;
    const another = { ...sessionAt(NOW_MS), issuer: "operator:11111111" };
    const issue = { session: another, limit, repeatable: null, isLive: () => true };
    expect((await store.operator.issue(issue)).outcome).toBe("tooManySessions");
    expect(store.db.meta.get("schema")).toBe(SCHEMA);
  });
});

describe("a store of schema 1", () => {
  /** As the first version wrote it. */
  async function ofSchema1(path: string) {
    const { env, meta, sessions, byUser, byOrg, byPlan, byActivity, invalidations } = openLayout(path, random);
    const [kept, revoked] = [sessionAt(NOW_MS), { ...sessionAt(NOW_MS), revokedAt: NOW_MS + 1 }];
    await env.transaction(() => {
      void meta.put("schema", 1);
      void meta.put("log", "ab".repeat(16));
      void meta.put("cursor", 1);
      void invalidations.put(1, { kind: "revoked", sessionId: revoked.id, atMs: NOW_MS + 1 });
      for (const session of [kept, revoked]) {
        const { id, userId, orgId, plan, lastActivity } = session;
        void sessions.put(id, session);
        void byUser.put([userId, id], true);
        void byOrg.put([orgId, id], true);
        void byActivity.put([plan.id, lastActivity, id], true);
      }
      void byPlan.put([kept.plan.id, kept.id], true);
    });
    await env.close();
    return { kept, revoked };
  }

  it("a store of schema 1 is brought to the present schema with all that is in it", async () => {
    const path = folder();
    const { kept, revoked } = await ofSchema1(path);
    const store = await opened(path);
    expect(await store.find(kept.id)).toEqual(kept);
    expect(await store.find(revoked.id)).toEqual(revoked);
    expect(await store.countLive(STARTER.id, 0)).toBe(1);
    expect([...store.db.byUserAndPlan.getKeys()]).toEqual([[kept.userId, STARTER.id, kept.id]]);
    expect(store.db.meta.get("schema")).toBe(SCHEMA);
  });

  it("a store of schema 1 gets a log whose name edges can keep, and goes on counting", async () => {
    const path = folder();
    const { kept } = await ofSchema1(path);
    const first = await openStore(path);
    const { log, cursor } = await first.position();
    expect([log.length, cursor]).toEqual([16, 1]);
    await first.revoke(kept.id, NOW_MS + 5);
    await first.close();
    expect(await (await opened(path)).position()).toEqual({ log, cursor: 2 });
  });

  it("a store of schema 1 may also come from a backup", async () => {
    const [old, file, data] = [folder(), join(folder(), "old.mdb"), folder()];
    const { kept } = await ofSchema1(old);
    await backUpStore(old, file);
    await restoreStore(file, data, { force: false, random });
    expect(await (await opened(data)).find(kept.id)).toEqual(kept);
  });
});

describe("a store of schema 2", () => {
  it("a store of schema 2 keeps what was reported and who had acquired a session", async () => {
    const path = folder();
    const { env, meta, sessions, usage } = openLayout(path, random);
    const session = sessionAt(NOW_MS);
    const figures = { rev: 3, consumed: 2, levelMicro: 1, atMs: NOW_MS, reportedAtMs: NOW_MS };
    await env.transaction(() => {
      void meta.put("schema", 2);
      void meta.put("log", "ab".repeat(8));
      void meta.put("cursor", 0);
      void sessions.put(session.id, session);
      void usage.put([session.id, "gw-1", "reported"], figures);
      void usage.put([session.id, "gw-2", "acquired"], null);
    });
    await env.close();
    const store = await opened(path);
    expect(await store.usage.rowsOf(session.id)).toEqual([
      { edge: "gw-1", instance: "reported", figures },
      { edge: "gw-2", instance: "acquired", figures: null },
    ]);
    expect(await store.find(session.id)).toEqual(session);
    expect((await store.position()).log).toBe("ab".repeat(8));
  });
});

describe("a store of schema 3", () => {
  it("an older store's policy becomes the first generation that can be read back", async () => {
    const path = folder();
    const { env, meta } = openLayout(path, random);
    await env.transaction(() => {
      void meta.put("schema", 3);
      void meta.put("log", "ab".repeat(8));
      void meta.put("cursor", 0);
      void meta.put("policy", { generation: 7, policyJson: "{}" });
    });
    await env.close();
    const { db, policies } = await opened(path);
    expect(await policies.newestGeneration()).toBe(7);
    expect(await policies.policy(7)).toEqual({
      ...{ generation: 7, policyJson: "{}", hash: "44136fa355b3678a" },
      ...{ atMs: null, source: null, position: null },
    });
    expect(db.meta.get("policy")).toBeUndefined();
  });

  it("a store of schema 3 has the actions in its audit log named as they are now", async () => {
    const path = folder();
    const { env, meta, audit } = openLayout(path, random);
    const event = { at: NOW_MS, actor: "operator:1", sessionId: null, details: { from: "a", to: "b" } };
    const before = ["session-moved", "session-revoked", "policy-refused"] as AuditEvent["action"][];
    await env.transaction(() => {
      void meta.put("schema", 3);
      void meta.put("log", "ab".repeat(8));
      void meta.put("cursor", 0);
      for (const [i, action] of before.entries()) void audit.put(i + 1, { ...event, action });
    });
    await env.close();
    const store = await opened(path);
    expect(await store.audit.auditBefore(undefined, 9)).toEqual([
      { number: 3, ...event, action: "policy-rejected" },
      { number: 2, ...event, action: "session-revoked" },
      { number: 1, ...event, action: "plan-changed" },
    ]);
  });
});

describe("a store of schema 5", () => {
  it("a store of schema 5 keeps its rows, and takes levels of further limits from now on", async () => {
    const path = folder();
    const before = await openStore(path);
    const session = sessionAt(NOW_MS);
    await before.create(session);
    const first = { rev: 3, consumed: 2, levelMicro: 1, atMs: NOW_MS, reportedAtMs: NOW_MS };
    const row = { sessionId: session.id, edge: "gw-1", instance: "aaaaaaaaaaaaaaaa" };
    await before.usage.report([{ ...row, ...first }], new Map());
    await before.db.env.transaction(() => void before.db.meta.put("schema", 5));
    await before.close();
    const store = await opened(path);
    expect(store.db.meta.get("schema")).toBe(SCHEMA);
    expect(await store.usage.rowsOf(session.id)).toMatchObject([{ figures: first }]);
    const limits = { daily: { levelMicro: -5, atMs: NOW_MS } };
    await store.usage.report([{ ...row, ...first, rev: 4, limits }], new Map());
    expect(await store.usage.rowsOf(session.id)).toMatchObject([{ figures: { ...first, rev: 4, limits } }]);
  });

  it("levels of further limits come back from a backup as they were when it was made", async () => {
    const [path, data] = [folder(), folder()];
    const store = await openStore(path);
    const session = sessionAt(NOW_MS);
    await store.create(session);
    const said = { sessionId: session.id, edge: "gw-1", instance: "aaaaaaaaaaaaaaaa", consumed: 2, levelMicro: 1 };
    const report = (rev: number, levelMicro: number) =>
      store.usage.report(
        [{ ...said, rev, atMs: NOW_MS, reportedAtMs: NOW_MS, limits: { daily: { levelMicro, atMs: NOW_MS } } }],
        new Map(),
      );
    await report(1, 7);
    await backUpStore(path, join(data, "backup"));
    await report(2, 3);
    await store.close();
    await restoreStore(join(data, "backup"), path, { force: true, random });
    const [row] = await (await opened(path)).usage.rowsOf(session.id);
    expect(row?.figures).toMatchObject({ rev: 1, limits: { daily: { levelMicro: 7, atMs: NOW_MS } } });
  });
});

describe("a store of a newer version", () => {
  it("a store of a newer version is not opened, and not changed", async () => {
    const path = folder();
    const layout = openLayout(path, random);
    await layout.meta.put("schema", 99);
    await layout.env.close();
    await expect(LmdbStore.open(path, random)).rejects.toThrow("newer version");
    const again = openLayout(path, random);
    onTestFinished(() => again.env.close());
    expect([...again.meta.getRange()]).toEqual([{ key: "schema", value: 99 }]);
  });
});
