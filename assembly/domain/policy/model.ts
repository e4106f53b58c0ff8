// The policy as the programs use it: plain fields, with each default standing here and nowhere else.
// To add a field: give it a field and a default here, validate it in policy-fields.ts (or plans.ts), print it in print.ts.
import { SCOPE_EDGE } from "../../contract";
import { Choice } from "./choice";
import { ENFORCEMENT_ENFORCE, ENFORCEMENT_INHERITED } from "./enforcement";
import { Limit, NO_LIMITS } from "./limit-model";
import { Route } from "./route-model";
import { DEFAULT_SOURCES, TokenSource } from "./token-model";

export const ON_MISS_ACQUIRE: u8 = 0;
export const ON_MISS_TRUST: u8 = 1;
export const ON_MISS: Choice = new Choice(["acquire", "trust"]);

export const ON_UNREACHABLE_TRUST: u8 = 0;
export const ON_UNREACHABLE_DENY: u8 = 1;
export const ON_UNREACHABLE: Choice = new Choice(["trust", "deny"]);

export const ON_CONTENTION_DENY: u8 = 0;
export const ON_CONTENTION_ALLOW: u8 = 1;
export const ON_CONTENTION: Choice = new Choice(["deny", "allow"]);

export const ON_TABLE_FULL_DENY: u8 = 0;
export const ON_TABLE_FULL_ALLOW: u8 = 1;
export const ON_TABLE_FULL: Choice = new Choice(["deny", "allow"]);

export const RESPONSE_HEADERS_DRAFT: u8 = 0;
export const RESPONSE_HEADERS_X_RATELIMIT: u8 = 1;
export const RESPONSE_HEADERS_BOTH: u8 = 2;
export const RESPONSE_HEADERS_NONE: u8 = 3;
export const RESPONSE_HEADERS: Choice = new Choice(["draft", "x-ratelimit", "both", "none"]);

/** What the draft's `RateLimit` says: of the limit that denies soonest, or of each that applied. */
export const RESPONSE_LIMITS_TIGHTEST: u8 = 0;
export const RESPONSE_LIMITS_ALL: u8 = 1;
export const RESPONSE_LIMITS: Choice = new Choice(["tightest", "all"]);

export const RESPONSE_BODY_JSON: u8 = 0;
export const RESPONSE_BODY_PROBLEM: u8 = 1;
export const RESPONSE_BODIES: Choice = new Choice(["json", "problem"]);

/** The names that ours sets are ours alone. */
export const UPSTREAM_HEADERS_REPLACE: u8 = 0;
/** Where the service has set one of them, ours sets none. */
export const UPSTREAM_HEADERS_KEEP: u8 = 1;
export const UPSTREAM_HEADERS: Choice = new Choice(["replace", "keep"]);

/** A stream ends with its session. */
export const OPEN_STREAMS_CLOSE: u8 = 0;
/** It goes on for as long as client and service want. */
export const OPEN_STREAMS_KEEP: u8 = 1;
export const OPEN_STREAMS: Choice = new Choice(["close", "keep"]);

/** Of a plan that says nothing: the document's. */
export const ON_UNREACHABLE_INHERITED: u8 = 255;

/** SCOPE_EDGE and SCOPE_FLEET (contract.ts). */
export const SCOPES: Choice = new Choice(["edge", "fleet"]);

export const ON_MAX_SESSIONS_REFUSE: u8 = 0;
export const ON_MAX_SESSIONS_REMOVE_OLDEST: u8 = 1;
export const ON_MAX_SESSIONS: Choice = new Choice(["refuse", "removeOldest"]);

/**
 * Named limits: the first is the plan's own bucket, which has the plan's name. Fields without a default in the document
 * start at 0 or empty.
 */
export class Plan extends Limit {
  id: u32 = 0;
  /** The further ones, sorted by name: their one order everywhere. */
  limits: Limit[] = NO_LIMITS;
  /** Idle time after which a session ends. */
  maxAgeMs: u64 = 1800000;
  /** Age at which a session ends. */
  lifetimeMs: u64 = 86400000;
  /** Tokens a session may consume in all; 0: no budget. */
  tokenBudget: u64 = 0;
  scope: u8 = SCOPE_EDGE;
  /** 0: no limit. */
  maxSessionsPerUser: u32 = 0;
  onMaxSessions: u8 = ON_MAX_SESSIONS_REFUSE;
  /** See enforcement.ts. */
  enforcement: u32 = ENFORCEMENT_INHERITED;
  /** ON_UNREACHABLE_…; of scope fleet ON_UNREACHABLE_DENY, whatever the document has. */
  onUnreachable: u8 = ON_UNREACHABLE_INHERITED;
}

/** Shared by the policies that have none; never written to. */
export const NO_ROUTES: Route[] = [];

/** Shared by the policies whose plans have no further limits; never written to. */
export const NO_NAMES: string[] = [];

/** Who may do how much. What an edge must know before it can ask for a policy is in settings-model.ts. */
export class Policy {
  /** Where the token is: the first of them that has one. At least one. */
  tokenSources: TokenSource[] = DEFAULT_SOURCES;
  /** Whether the service gets the token. */
  forwardToken: bool = true;
  /** Whether the service is told the session's id and plan. */
  identity: bool = false;
  /** ANNOTATE_… (token-model.ts). */
  annotate: u8 = 0;
  /** At least one; the first is the default plan. */
  plans: Plan[] = [];
  /** Of all plans' further limits, each once, sorted. */
  limitNames: string[] = NO_NAMES;
  /** The first that matches says what a request costs. */
  routes: Route[] = NO_ROUTES;
  /** See enforcement.ts: of what no route and no plan says otherwise. */
  enforcement: u32 = ENFORCEMENT_ENFORCE;
  onMiss: u8 = ON_MISS_ACQUIRE;
  onUnreachable: u8 = ON_UNREACHABLE_TRUST;
  onContention: u8 = ON_CONTENTION_DENY;
  onTableFull: u8 = ON_TABLE_FULL_DENY;
  acquireTimeoutMs: u32 = 250;
  reportIntervalMs: u32 = 5000;
  cleanupIntervalMs: u32 = 60000;
  openStreams: u8 = OPEN_STREAMS_CLOSE;
  responseHeaders: u8 = RESPONSE_HEADERS_DRAFT;
  responseBody: u8 = RESPONSE_BODY_JSON;
  upstreamHeaders: u8 = UPSTREAM_HEADERS_REPLACE;
  responseLimits: u8 = RESPONSE_LIMITS_TIGHTEST;
  /** Ascending: plan id in the upper 16 bits, index into `plans` in the lower 16. Both fit: 65535 and 999. */
  private planIndex: StaticArray<u32> = new StaticArray<u32>(0);

  /** To be called once `plans` is complete. */
  indexPlans(): void {
    const count = this.plans.length;
    this.planIndex = new StaticArray<u32>(count);
    for (let i = 0; i < count; i++) this.planIndex[i] = (this.plans[i].id << 16) | (<u32>i);
    this.planIndex.sort();
  }

  /** A plan's own enforcement, or the document's; the document's where the index is -1. */
  enforcementOfPlan(planIndex: i32): u32 {
    if (planIndex < 0) return this.enforcement;
    const own = unchecked(this.plans[planIndex]).enforcement;
    return own == ENFORCEMENT_INHERITED ? this.enforcement : own;
  }

  /** A plan's own word, or the document's; the document's where the index is -1. */
  onUnreachableOfPlan(planIndex: i32): u8 {
    if (planIndex < 0) return this.onUnreachable;
    const own = unchecked(this.plans[planIndex]).onUnreachable;
    return own == ON_UNREACHABLE_INHERITED ? this.onUnreachable : own;
  }

  /** How many plans have this enforcement, their own or the document's. */
  countPlansUnder(enforcement: u32): i32 {
    let count = 0;
    for (let i = 0; i < this.plans.length; i++) if (this.enforcementOfPlan(i) == enforcement) count++;
    return count;
  }

  /** The index into `plans` of the plan with this id, or -1. Binary search; allocates nothing. */
  planIndexById(id: u32): i32 {
    let low = 0;
    let high = this.planIndex.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const entry = unchecked(this.planIndex[middle]);
      if (entry >>> 16 == id) return <i32>(entry & 0xffff);
      if (entry >>> 16 < id) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}
