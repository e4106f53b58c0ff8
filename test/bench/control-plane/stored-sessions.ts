// The sessions that both servers hold before the first request: the same records, on either side.
import { randomBytes } from "node:crypto";

import type { PlanOfPolicy } from "../../../control-plane/src/domain/plan.js";
import { newSessionId, SESSION_ID_RANDOM_BYTES } from "../../../control-plane/src/domain/session-id.js";
import { createSession } from "../../../control-plane/src/domain/session.js";
import type { Session } from "../../../control-plane/src/domain/session.js";
import { LmdbStore } from "../../../control-plane/src/store/lmdb/store.js";
import { storeSessions } from "../measure/store-sessions.js";
import { openBareStore } from "./bare-store.js";

const SESSIONS_OF_A_USER = 10;
const random = { bytes: (n: number) => randomBytes(n) };

/** The policy that the control plane runs: no request is denied for want of tokens. What is left out has its default. */
export const POLICY =
  "version: 1\nplans:\n  - { id: 0, name: default, maxTokens: 1000000, tokenRefillRate: 1000000 }\n";
const plan: PlanOfPolicy = {
  id: 0,
  name: "default",
  maxTokens: 1_000_000,
  tokenRefillRate: 1_000_000,
  refill: null,
  limits: [],
  maxAge: 1_800_000,
  lifetime: 86_400_000,
  tokenBudget: null,
  scope: "edge",
  maxSessionsPerUser: null,
  onMaxSessions: "refuse",
};
const METADATA = { userAgent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", ip: "203.0.113.7", route: "/login" };

/** What a login service sends for the session of number `i`. */
export const creationOf = (i: number): object => ({
  userId: `user-${Math.floor(i / SESSIONS_OF_A_USER)}`,
  orgId: "org-1",
  metadata: METADATA,
});

/** The record of a new session of number `i`. */
export function sessionOf(i: number, nowMs: number): Session {
  return sessionWith(newSessionId(nowMs, random.bytes(SESSION_ID_RANDOM_BYTES)), i, nowMs);
}

/** The same with an id that was made before. */
export function sessionWith(id: string, i: number, nowMs: number): Session {
  const userId = `user-${Math.floor(i / SESSIONS_OF_A_USER)}`;
  return createSession({ id, userId, orgId: "org-1", metadata: METADATA }, plan, nowMs);
}

/** Fills both stores with the same sessions, and answers their ids. */
export async function fillStores(dataFolder: string, bareFile: string, count: number): Promise<string[]> {
  const nowMs = Date.now();
  const store = await LmdbStore.open(dataFolder, random);
  const bare = openBareStore(bareFile);
  const writes: Promise<boolean>[] = [];
  const ids = await storeSessions(
    store.db,
    count,
    (i) => sessionOf(i, nowMs),
    (session) => void writes.push(bare.sessions.put(session.id, session)),
  );
  await Promise.all(writes);
  await store.close();
  await bare.env.close();
  return ids;
}
