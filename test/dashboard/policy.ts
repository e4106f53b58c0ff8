// A policy under which all that the dashboard shows can happen.
export const ROUTES = { plain: "/", shadowed: "/trial", settled: "/chat" } as const;

/** What a settled request reserves. */
export const RESERVED = 5;
export const COST_HEADER = "x-cost";

/** @param goldRate tokens a second of one plan: another number makes another policy */
export const dashboardPolicy = (goldRate: number): object => ({
  version: 1,
  onUnreachable: "deny",
  controlPlane: { acquireTimeout: 1000, reportInterval: 500 },
  sessions: { cleanupInterval: 2000 },
  plans: [
    { id: 0, name: "free", maxTokens: 20, tokenRefillRate: 9 },
    {
      ...{ id: 1, name: "gold", maxTokens: 1000, tokenRefillRate: goldRate, tokenBudget: 1_000_000_000 },
      limits: [{ name: "search", maxTokens: 30, tokenRefillRate: 15 }],
    },
    { id: 2, name: "team", scope: "fleet", maxTokens: 60, tokenRefillRate: 60 },
  ],
  routes: [
    { match: { prefix: ROUTES.shadowed }, enforcement: "shadow" },
    { match: { prefix: ROUTES.settled }, cost: RESERVED, settle: { header: COST_HEADER } },
  ],
});
