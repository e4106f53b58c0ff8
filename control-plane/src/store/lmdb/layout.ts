// The LMDB layout: which databases there are, what their keys and values are, and which schema this program reads.
//
//   database    key                              value
//   sessions    session id                       Session
//   byUser      [user id, session id]            true       every session; ids sort by creation, so a page ends with
//   byOrg       [org id, session id]             true       a cursor that is a session id
//   byIssuer    [issuer, session id]             true       every session whose issuer is known
//   byIssuerAndUser [issuer, user id, session id] true     the same
//   byPlan      [plan id, session id]            true       sessions that have not ended for good; the oldest first, so
//                                                           those past a lifetime are its head
//   byUserAndPlan [user of the limit, plan id, session id] true   as byPlan: how many a user has is counted here, for
//                                                           each issuer alone (session-index.ts)
//   byActivity  [plan id, ms, session id]        true       these and some that have ended, indexed under a time not later than its last
//                                                           activity. It is not moved by activity (that would be two
//                                                           writes each time): who looks for idle sessions reads the
//                                                           head, and files those anew that were active since
//   ended       session id                       true       sessions that ended for good, found on that walk; the oldest
//                                                           first, so those that may be forgotten are its head
//   usage       [session id, edge, instance]     StoredUsage  of an instance that has acquired or reported it. When it
//                                                           was acquired stands only here: a session's last activity
//                                                           is the latest of its own and of its rows'
//   leases      session id                       FleetBudget   of a session under a plan of fleet scope, or that was: levels of
//                                                           its buckets, and which instance may spend what until when
//   consumptions [session id, owned key]         ConsumptionKey   an owned key is an Idempotency-Key with the name of the
//                                                           credential that used it; of before that, it is the key alone
//   consumptionsByTime [ms, session id, owned key] true     the same, the oldest first
//   creationKeys owned key                       CreationKey   which session a creation's key has made
//   creationKeysByTime [ms, owned key]           true       the same, the oldest first
//   audit       number, 1 and up                 AuditEvent    without a gap; the oldest go first
//   invalidations number, 1 and up                 Invalidation    without a gap; the oldest go first
//   revocations operation id                     StoredRevocation   of a user's or an organisation's sessions; ids sort
//                                                           by when they were asked for
//   policies    generation                       StoredPolicy  a decision on the policy; the newest is the last
//   edgeStatus  [edge, instance]                 EdgeStatus    what an instance last said, coarsely
//   meta        "schema"                         number      which layout this is
//   meta        "log"                            string      names this invalidation log among all there ever were
//   meta        "cursor"                         number      key of the last invalidation, 0 before the first
//   meta        "creationKeys"                   number      how many keys of creations there are
//   meta        "metadataForgottenBefore"        session id  older sessions have neither ip nor userAgent any more
//   meta        "fleetTime"                      number      ms of the clock by which leases go; it is only ever raised
//   meta        "began"                          string      when this log began by that clock, and the newest session there was
//                                                           then (domain/leases/store-life.ts)
//   meta        "copy"                           CopyMark    how far a copy into this store has come (store/copy)
//   meta        "probed"                         true        written to see whether commits succeed again
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { open } from "lmdb";
import type { Database, RootDatabase } from "lmdb";

import type { EdgeStatus } from "../../app/ports/edge-status-ports.js";
import type { Random, StoredPolicy } from "../../app/ports/ports.js";
import type { FleetBudget } from "../../domain/leases/fleet-budget.js";
import type { Session } from "../../domain/session.js";
import type {
  AuditEvent,
  ConsumptionKey,
  CreationKey,
  Figures,
  HeldRow,
  Invalidation,
  StoredRevocation,
} from "../../domain/stored.js";
import { makeFolder } from "../../files/own-folder.js";
import { Commits } from "./commits.js";
import { StoreFile } from "./store-file.js";
import { writeProbe } from "./write-probe.js";

export const SCHEMA = 7;

/** A session at an instance. `figures` is null until its first report. */
export interface StoredUsage {
  /** When the instance last asked for the session, ms since the epoch; 0: it did not, or before this was kept here. */
  readonly acquiredAtMs: number;
  readonly figures: Figures | null;
  readonly remembered?: readonly HeldRow[];
}

/**
 * As schema 2 had it; a row is written in the present form when it is written next. Millions of them are not rewritten
 * at a start: an edge's requests would wait for it, and the file would double.
 */
export type UsageOfSchema2 = Figures | null;

export interface LmdbLayout {
  readonly env: RootDatabase;
  /** The one way to write: whatever is put is put inside its `run`. */
  readonly commits: Commits;
  readonly sessions: Database<Session, string>;
  readonly byUser: Database<true, [string, string]>;
  readonly byOrg: Database<true, [string, string]>;
  readonly byIssuer: Database<true, [string, string]>;
  readonly byIssuerAndUser: Database<true, [string, string, string]>;
  readonly byPlan: Database<true, [number, string]>;
  readonly byActivity: Database<true, [number, number, string]>;
  readonly byUserAndPlan: Database<true, [string, number, string]>;
  readonly creationKeys: Database<CreationKey, string>;
  readonly creationKeysByTime: Database<true, [number, string]>;
  readonly audit: Database<AuditEvent, number>;
  readonly invalidations: Database<Invalidation, number>;
  readonly revocations: Database<StoredRevocation, string>;
  readonly ended: Database<true, string>;
  readonly usage: Database<StoredUsage | UsageOfSchema2, [string, string, string]>;
  readonly leases: Database<FleetBudget, string>;
  readonly consumptions: Database<ConsumptionKey, [string, string]>;
  readonly consumptionsByTime: Database<true, [number, string, string]>;
  readonly policies: Database<StoredPolicy, number>;
  readonly edgeStatus: Database<EdgeStatus, [string, string]>;
  readonly meta: Database<unknown, string>;
}

/** The store's file within its folder. */
export const STORE_FILE = "store.mdb";

const PAGE_BYTES = 4096;

/** Opens or creates the environment in a folder. */
export function openLayout(folder: string, random: Random, file = STORE_FILE): LmdbLayout {
  makeFolder(folder, 0o700);
  const path = join(folder, file);
  makeRoomForReaders(`${path}-lock`);
  // overlappingSync would show and acknowledge commits before they are on the disk. LMDB's cache would show writes
  // before they are committed, and is therefore not turned on for any database.
  const env = open({ path, noSubdir: true, overlappingSync: false, maxDbs: 32 });
  const meta: Database<unknown, string> = env.openDB({ name: "meta" });
  const parts = { env, meta, file: new StoreFile(path), probe: writeProbe(path, random) };
  return {
    env,
    meta,
    commits: new Commits(parts),
    ...databases(env),
  };
}

/** LMDB maps its table of readers into memory: on a full disk, a write into a hole of that file kills the process. */
function makeRoomForReaders(file: string): void {
  if (!existsSync(file)) writeFileSync(file, Buffer.alloc(PAGE_BYTES), { mode: 0o600 });
}

function databases(env: RootDatabase): Omit<LmdbLayout, "env" | "meta" | "commits"> {
  return {
    sessions: env.openDB({ name: "sessions" }),
    byUser: env.openDB({ name: "byUser" }),
    byOrg: env.openDB({ name: "byOrg" }),
    byIssuer: env.openDB({ name: "byIssuer" }),
    byIssuerAndUser: env.openDB({ name: "byIssuerAndUser" }),
    byPlan: env.openDB({ name: "byPlan" }),
    byActivity: env.openDB({ name: "byActivity" }),
    byUserAndPlan: env.openDB({ name: "byUserAndPlan" }),
    creationKeys: env.openDB({ name: "creationKeys" }),
    creationKeysByTime: env.openDB({ name: "creationKeysByTime" }),
    audit: env.openDB({ name: "audit" }),
    invalidations: env.openDB({ name: "invalidations" }),
    revocations: env.openDB({ name: "revocations" }),
    ended: env.openDB({ name: "ended" }),
    usage: env.openDB({ name: "usage" }),
    leases: env.openDB({ name: "leases" }),
    consumptions: env.openDB({ name: "consumptions" }),
    consumptionsByTime: env.openDB({ name: "consumptionsByTime" }),
    policies: env.openDB({ name: "policies" }),
    edgeStatus: env.openDB({ name: "edgeStatus" }),
  };
}
