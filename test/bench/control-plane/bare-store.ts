// The store of the bare routes: one database with the records that the control plane keeps, as durable as its own.
import { open } from "lmdb";
import type { Database, RootDatabase } from "lmdb";

import type { Session } from "../../../control-plane/src/domain/session.js";

export const BARE_READ_PATH = "/read";
export const BARE_WRITE_PATH = "/write";

/** overlappingSync is off as in the control plane's: it would answer before a commit is on the disk. */
export function openBareStore(file: string): { env: RootDatabase; sessions: Database<Session, string> } {
  const env = open({ path: file, noSubdir: true, overlappingSync: false, maxDbs: 1 });
  return { env, sessions: env.openDB({ name: "sessions" }) };
}
