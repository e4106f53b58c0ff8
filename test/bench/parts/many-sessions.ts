// Many sessions at once: put straight into the control plane's store before it starts, with the tokens they would have.
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import type { PlanOfPolicy } from "../../../control-plane/src/domain/plan.js";
import { newSessionId, SESSION_ID_RANDOM_BYTES } from "../../../control-plane/src/domain/session-id.js";
import { createSession } from "../../../control-plane/src/domain/session.js";
import type { Session } from "../../../control-plane/src/domain/session.js";
import { LmdbStore } from "../../../control-plane/src/store/lmdb/store.js";
import { storeSessions } from "../measure/store-sessions.js";
import { Random } from "../../host/harness/host/random.js";
import { TokenMint } from "../../host/harness/scenes/tokens.js";
import { PLENTY } from "../stand/variants.js";

const HOUR_MS = 3_600_000;

const plan: PlanOfPolicy = {
  ...{ id: PLENTY.id, name: PLENTY.name, maxTokens: PLENTY.maxTokens, tokenRefillRate: PLENTY.tokenRefillRate },
  ...{ refill: null, limits: [] },
  ...{
    maxAge: HOUR_MS,
    lifetime: 24 * HOUR_MS,
    tokenBudget: null,
    scope: "edge",
    maxSessionsPerUser: null,
    onMaxSessions: "refuse",
  },
};

/** `count` live sessions of the first plan. Resolves with their tokens. @param secret of the installation, in hex */
export async function issueSessions(dataDir: string, count: number, secret: string): Promise<string[]> {
  mkdirSync(dataDir, { recursive: true });
  const store = await LmdbStore.open(dataDir, { bytes: (n) => randomBytes(n) });
  const mint = new TokenMint(secret, new Random(1));
  const nowMs = Date.now();
  const make = (i: number): Session => {
    const id = newSessionId(nowMs, randomBytes(SESSION_ID_RANDOM_BYTES));
    return createSession({ id, userId: `u${i}`, orgId: "bench", metadata: {} }, plan, nowMs);
  };
  try {
    const ids = await storeSessions(store.db, count, make);
    return ids.map((id) => mint.mint(nowMs, plan.id, id).token);
  } finally {
    await store.close();
  }
}
