// The LMDB layout: which databases there are, what their keys and values are, and which schema this program reads.
//
//   database    key                              value
//   sessions    session id                       Session
//   byUser      [user id, session id]            true       every session; ids sort by creation, so a page ends with
//   byOrg       [org id, session id]             true       a cursor that is a session id
//   byPlan      [plan id, session id]            true       sessions not revoked; the oldest first, so those past a
//                                                           lifetime are its head
//   byActivity  [plan id, ms, session id]        true       every session, filed under a time not later than its last
//                                                           activity. It is not moved by activity (that would be two
//                                                           writes each time): who looks for idle sessions reads the
//                                                           head, and files those anew that were active since
//   withdrawals number, 1 and up                 Withdrawal
//   meta        "schema"                         number      which layout this is
//   meta        "log"                            string      names this log of withdrawals among all there ever were
//   meta        "cursor"                         number      key of the last withdrawal, 0 before the first
//   meta        "policy"                         StoredPolicy
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { open } from "lmdb";
import type { Database, RootDatabase } from "lmdb";

import type { Session } from "../domain/session.js";

export const SCHEMA = 1;

/** One entry of the log of withdrawals. */
export interface Withdrawal {
  readonly kind: "revoked";
  readonly sessionId: string;
  readonly atMs: number;
}

export interface LmdbLayout {
  readonly env: RootDatabase;
  readonly sessions: Database<Session, string>;
  readonly byUser: Database<true, [string, string]>;
  readonly byOrg: Database<true, [string, string]>;
  readonly byPlan: Database<true, [number, string]>;
  readonly byActivity: Database<true, [number, number, string]>;
  readonly withdrawals: Database<Withdrawal, number>;
  readonly meta: Database<unknown, string>;
}

/** Opens or creates the environment in a folder. */
export function openLayout(folder: string): LmdbLayout {
  // overlappingSync would show and acknowledge commits before they are on the disk. LMDB's cache would show writes
  // before they are committed, and is therefore not turned on for any database.
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const env = open({ path: join(folder, "store.mdb"), noSubdir: true, overlappingSync: false, maxDbs: 16 });
  return {
    env,
    sessions: env.openDB({ name: "sessions" }),
    byUser: env.openDB({ name: "byUser" }),
    byOrg: env.openDB({ name: "byOrg" }),
    byPlan: env.openDB({ name: "byPlan" }),
    byActivity: env.openDB({ name: "byActivity" }),
    withdrawals: env.openDB({ name: "withdrawals" }),
    meta: env.openDB({ name: "meta" }),
  };
}
