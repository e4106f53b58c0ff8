// Values that stand in the document's examples: together they are one small installation, so that they fit each other. A
// test sends each of them to a control plane.

export const EXAMPLE_ID = "01a2039e-9c4a-7d17-b3f0-5a1c62ae9d40";
export const EXAMPLE_REVOCATION_ID = "01a2039e-e78c-7ee9-9627-f20106c239c1";
export const EXAMPLE_REQUEST_ID = "5f2d0c9a41e7b83d6a10f4c2";
export const EXAMPLE_KEY = "3d0b6a52-7f8e-4c1a-9e55-1f2b8c7d6e01";
export const EXAMPLE_TOKEN = "ASwBogOenEp9F7PwWhxirp1AAAFdQUAqvEsqdrlxnZEQF8WS";
export const EXAMPLE_INSTANCE = "3b4090940652e269";
export const EXAMPLE_LOG = "9f86d081884c7d65";
export const EXAMPLE_HASH = "41f0ab1a2d76d2a9";
export const EXAMPLE_EDGE = "gw-1";
const OPERATOR = "operator:1f2e3d4c";

/** 2026-11-22, and some time later. */
const ISSUED_AT = 1795357069138;
const LATER = 1795357075340;
const A_DAY_MS = 86_400_000;

export const EXAMPLE_METADATA = { userAgent: "curl/8.5.0", ip: "192.0.2.1", route: "/login" };

export const EXAMPLE_SESSION = {
  id: EXAMPLE_ID,
  userId: "u1",
  orgId: "o1",
  issuer: "login",
  plan: "gold",
  state: "live",
  createdAt: ISSUED_AT,
  endsAt: ISSUED_AT + A_DAY_MS,
  lastActivity: ISSUED_AT,
  tokens: { issued: 100, consumed: 0, budget: 100 },
  metadata: EXAMPLE_METADATA,
  revokedAt: null,
};

const CONFIRMED = { edges: 3, confirmed: 2, pending: ["gw-b"] };
export const EXAMPLE_CONFIRMATION = { revocation: CONFIRMED };

const REVOCATION = { id: EXAMPLE_REVOCATION_ID, userId: "u1", createdAt: LATER };
export const EXAMPLE_REVOCATION = {
  begun: {
    revocation: { ...REVOCATION, state: "running", finishedAt: null, examined: 0, revoked: 0, ...CONFIRMED },
  },
  finished: {
    revocation: { ...REVOCATION, state: "finished", finishedAt: LATER + 40, examined: 3, revoked: 2, ...CONFIRMED },
  },
};

export const EXAMPLE_AUDIT_ENTRY = {
  number: 17,
  at: LATER,
  actor: OPERATOR,
  action: "plan-changed",
  sessionId: EXAMPLE_ID,
  details: { issuer: "login", from: "silver", to: "gold" },
};

export const EXAMPLE_USAGE = {
  consumed: 22,
  direct: 5,
  edges: [
    {
      edge: EXAMPLE_EDGE,
      consumed: 17,
      instances: [
        { instance: EXAMPLE_INSTANCE, consumed: 17, rev: 3, lastReport: LATER, lastActivity: ISSUED_AT + 5000 },
      ],
    },
  ],
};

export const EXAMPLE_BUCKETS = {
  buckets: [
    {
      edge: EXAMPLE_EDGE,
      instance: EXAMPLE_INSTANCE,
      name: "gold",
      capacity: 100,
      tokens: 61.09225,
      refillRate: 10,
      lastRefill: LATER,
      limits: [{ name: "hourly", capacity: 900, tokens: 883.31325, refillRate: 0.25, lastRefill: LATER }],
    },
  ],
};

export const EXAMPLE_FLEET = {
  plan: "gold",
  buckets: [
    { name: "", capacity: 100, level: 61.09225, outstanding: 8.5, refillRate: 10 },
    { name: "hourly", capacity: 900, level: 883.31325, outstanding: 8.5, refillRate: 0.25 },
  ],
  leases: [{ edge: EXAMPLE_EDGE, instance: EXAMPLE_INSTANCE, outstanding: { "": 8.5, hourly: 8.5 }, endsInMs: 2740 }],
};

const IN_FORCE = { generation: 7, hash: "c0ffee5eed0ddba1" };
const ENDED = { sessions: 12, plans: [{ plan: "gold", sessions: 12 }] };
export const EXAMPLE_POLICY_STATUS = {
  inForce: IN_FORCE,
  source: { name: "policy.yaml", state: "held" },
  held: { hash: EXAMPLE_HASH, ...ENDED, since: ISSUED_AT, countedAt: LATER },
};
export const EXAMPLE_STATUS = { time: LATER, ready: true, reason: null, issuersFileRejected: false };
export const EXAMPLE_POLICY_CONFIRMED = { inForce: { generation: 8, hash: EXAMPLE_HASH }, sessions: 12 };

const FILTER_BUILD = "8c1f0e6a5b2d9374";
const WORKER = {
  worker: "5e884898da280471",
  source: "control-plane",
  generation: 7,
  hash: IN_FORCE.hash,
  build: FILTER_BUILD,
  lastReportAt: LATER,
};
const OF_BOTH = { state: "current", silentWorkers: 0, watching: true, lastReportAt: LATER, lag: 0, clockOffsetMs: 12 };
export const EXAMPLE_EDGES = {
  edges: [
    {
      edge: EXAMPLE_EDGE,
      ...OF_BOTH,
      published: 7,
      received: { generation: 7, state: "ok" },
      violations: [],
      running: { "7": 1 },
      filter: { version: "0.1.0", build: FILTER_BUILD, policyFormat: 1 },
      table: { capacity: 65_536, records: 1 },
      double: null,
      clockOff: false,
      instances: [
        {
          instance: EXAMPLE_INSTANCE,
          ...OF_BOTH,
          lastContactAt: LATER,
          tableName: "sluice",
          address: "192.0.2.7",
          workers: [WORKER],
          workersLeftOut: 0,
        },
      ],
      instancesLeftOut: 0,
    },
  ],
  unauthenticated: [{ claimedEdge: "gw-9", address: "192.0.2.66", calls: 4, firstAt: ISSUED_AT, lastAt: LATER }],
  clockOfMostMs: null,
  cursor: null,
};

const LIMITS_TAG = "5b0c7e19";
const FURTHER_LIMITS = { [LIMITS_TAG]: ["hourly"] };
const USAGE_ROW = [EXAMPLE_ID, 3, 17, 61_092_250, 250];
const CALLER = { edge: EXAMPLE_EDGE, instance: EXAMPLE_INSTANCE };
const AT_LOG = { log: EXAMPLE_LOG, cursor: 42 };

export const EXAMPLE_ACQUIRE = {
  call: {
    ...{ ...CALLER, session: EXAMPLE_ID },
    ...{ usage: [[...USAGE_ROW, LIMITS_TAG, [883_250_000]]], limits: FURTHER_LIMITS },
  },
  live: {
    ...{ state: "live", plan: 1, endsInMs: A_DAY_MS, level: 100_000_000, consumed: 0, rev: 0, budgetSpent: false },
    ...{ generation: 7, ...AT_LOG },
  },
  liveWithLevels: {
    ...{ state: "live", plan: 1, endsInMs: A_DAY_MS, level: 63_582_250, levels: { hourly: 883_312_250 } },
    ...{ consumed: 17, rev: 3, budgetSpent: false, generation: 7, ...AT_LOG },
  },
  liveWithLease: {
    ...{ state: "live", plan: 1, endsInMs: A_DAY_MS, level: 0, consumed: 17, rev: 3, budgetSpent: false },
    ...{ lease: { ask: 1, granted: { "": 4_000_000, hourly: 4_000_000 }, ttl: 2000 }, generation: 7, ...AT_LOG },
  },
  ended: { state: "revoked", endsInMs: A_DAY_MS, consumed: 17, rev: 3, generation: 7, ...AT_LOG },
};

const GRANTED = { "": 4_000_000, hourly: 4_000_000 };
const WISH = { cost: { "": 1_000_000, hourly: 1_000_000 }, want: { "": 5_000_000, hourly: 5_000_000 } };

export const EXAMPLE_LEASE = {
  call: {
    ...CALLER,
    asks: [{ session: EXAMPLE_ID, ask: 7, applied: 6, left: { "": 1_200_000, hourly: 1_200_000 }, ...WISH }],
  },
  granted: { log: EXAMPLE_LOG, leases: [{ session: EXAMPLE_ID, ask: 7, granted: GRANTED, ttl: 2000 }] },
  refused: {
    log: EXAMPLE_LOG,
    leases: [{ session: EXAMPLE_ID, ask: 7, granted: {}, ttl: 2000, refused: { limit: "", retryAfter: 120 } }],
  },
  over: { log: EXAMPLE_LOG, leases: [{ session: EXAMPLE_ID, ask: 7, over: true }] },
};

export const EXAMPLE_REPORT = {
  call: {
    ...CALLER,
    worker: WORKER.worker,
    build: FILTER_BUILD,
    policy: { source: WORKER.source, generation: 7, hash: IN_FORCE.hash },
    counters: { "requests.outcome=allowed.plan=gold": [118, 123] },
    usage: [USAGE_ROW],
    limits: {},
    more: false,
  },
  answer: { log: EXAMPLE_LOG, refresh: [] },
};

const POLICY = {
  version: 1,
  header: "x-session-token",
  plans: [
    {
      ...{ id: 1, name: "gold", maxTokens: 100, tokenRefillRate: 10, refill: null },
      limits: [{ name: "hourly", maxTokens: 900, tokenRefillRate: null, refill: "900/1h", applies: "always" as const }],
      ...{ maxAge: 1_800_000, lifetime: A_DAY_MS },
      ...{ tokenBudget: 100, scope: "edge", maxSessionsPerUser: null, onMaxSessions: "refuse" },
      ...{ enforcement: null, onUnreachable: null },
    },
  ],
  routes: [],
  ...{ enforcement: "enforce", onMiss: "acquire", onUnreachable: "trust", onContention: "deny", onTableFull: "deny" },
  controlPlane: { acquireTimeout: 250, reportInterval: 1000 },
  sessions: { cleanupInterval: 60_000, openStreams: "close" },
  response: { headers: "draft", body: "json", upstreamHeaders: "replace", limits: "tightest" },
};

export const EXAMPLE_WATCH = {
  call: {
    ...CALLER,
    log: EXAMPLE_LOG,
    since: 42,
    policy: { log: EXAMPLE_LOG, generation: 7, hash: IN_FORCE.hash, state: "ok" },
    filter: { version: "0.1.0", build: FILTER_BUILD, policyFormat: 1 },
    table: { name: "sluice", capacity: 65_536, records: 1 },
    wallMs: LATER,
  },
  changes: { log: EXAMPLE_LOG, cursor: 43, revoked: [EXAMPLE_ID], refresh: [] },
  reset: { reset: true, ...AT_LOG },
  policy: POLICY,
};
