// Sessions and plans for tests.
import { randomBytes } from "node:crypto";

import type { PlanOfPolicy } from "../../src/domain/plan.js";
import type { Limit } from "../../src/domain/policy/policy.js";
import { newSessionId, SESSION_ID_RANDOM_BYTES } from "../../src/domain/session-id.js";
import { createSession } from "../../src/domain/session.js";
import type { Session } from "../../src/domain/session.js";

export const HOUR_MS = 3_600_000;
/** Tokens a second. */
export const STARTER_RATE = 10;
export const STARTER: PlanOfPolicy = {
  id: 0,
  name: "starter",
  maxTokens: 100,
  tokenRefillRate: STARTER_RATE,
  refill: null,
  limits: [],
  maxAge: HOUR_MS,
  lifetime: HOUR_MS,
  tokenBudget: null,
  scope: "edge",
  maxSessionsPerUser: null,
  onMaxSessions: "refuse",
};
export const METERED: PlanOfPolicy = { ...STARTER, id: 7, name: "metered", maxTokens: 50, tokenBudget: 5000 };
export const daily: Limit = {
  name: "daily",
  maxTokens: 10_000,
  ...{ tokenRefillRate: null, refill: "10000/1d", applies: "always" },
};
export const search: Limit = {
  name: "search",
  maxTokens: 20,
  ...{ tokenRefillRate: 0.5, refill: null, applies: "routes" },
};
/** Of the id of STARTER, so that one takes the other's place. */
export const LIMITED: PlanOfPolicy = { ...STARTER, name: "limited", limits: [daily, search] };
/** The same with one budget over all edges. */
export const FLEET: PlanOfPolicy = { ...STARTER, name: "fleet", scope: "fleet" };
/** What a policy says beside its plans. */
export const REPORTING = { controlPlane: { reportInterval: 5000 }, sessions: { cleanupInterval: 60_000 } };

export function sessionAt(createdAtMs: number, plan: PlanOfPolicy = STARTER, userId = "u1", orgId = "o1"): Session {
  const id = newSessionId(createdAtMs, randomBytes(SESSION_ID_RANDOM_BYTES));
  return createSession({ id, userId, orgId, metadata: { ip: "192.0.2.1" } }, plan, createdAtMs);
}
