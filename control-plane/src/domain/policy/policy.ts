// A policy and edge settings as their documents write them, defaults filled in. assembly/domain/policy decides what they
// may say.

/** How much of what is decided is carried out; `shadow`: for that percentage of sessions, 1 to 99. */
export type Enforcement = "enforce" | "shadow" | "observe" | "off" | { readonly shadow: number };

/** How a bucket fills: exactly one of the two is not null. */
export interface Rate {
  /** Tokens per second, at most 6 decimals. */
  readonly tokenRefillRate: number | null;
  /** Tokens in a number of seconds, minutes, hours or days: `10000/1d`. */
  readonly refill: string | null;
}

/** A further bucket of a plan. */
export interface Limit extends Rate {
  readonly name: string;
  /** Bucket capacity, whole tokens. */
  readonly maxTokens: number;
  /** `routes`: only requests of routes that name it spend from it. */
  readonly applies: "always" | "routes";
}

/** Durations are in ms; null means that there is no such limit. The rate is that of the plan's own bucket. */
export interface Plan extends Rate {
  readonly id: number;
  readonly name: string;
  /** Of the plan's own bucket, whole tokens. */
  readonly maxTokens: number;
  /** The further ones, sorted by name: ASCII. */
  readonly limits: readonly Limit[];
  /** Idle time after which a session ends. */
  readonly maxAge: number;
  /** Age at which a session ends, whatever it does. */
  readonly lifetime: number;
  /** Tokens a session may consume in all. */
  readonly tokenBudget: number | null;
  readonly scope: "edge" | "fleet";
  /** Live sessions that one user may have in it at a time. */
  readonly maxSessionsPerUser: number | null;
  readonly onMaxSessions: "refuse" | "removeOldest";
  /** null: the document's. */
  readonly enforcement: Enforcement | null;
  /** null: the document's. */
  readonly onUnreachable: "trust" | "deny" | null;
}

/** All of it must hold; null holds for every request. At most one of path, prefix and template is not null. */
export interface RouteMatch {
  readonly path: string | null;
  readonly prefix: string | null;
  readonly template: string | null;
  readonly methods: readonly string[] | null;
  readonly hosts: readonly string[] | null;
  /** Without a value: the header is there. */
  readonly headers: readonly { readonly name: string; readonly value: string | null }[] | null;
}

export interface Route {
  readonly match: RouteMatch;
  /** Tokens that a request takes; null where it is exempt. */
  readonly cost: number | null;
  readonly exempt: boolean;
  /** null: the plan's, or the document's. */
  readonly enforcement: Enforcement | null;
  /** What is taken from further limits, by name; null: as much as `cost`. */
  readonly limits: Readonly<Record<string, number | null>>;
  readonly settle: Settle | null;
}

/** Where a response says what its request really cost: exactly one of header, trailer, metadata and json is not null. */
export interface Settle {
  /** The name of the further limit that is settled; null: the plan's own bucket. */
  readonly limit: string | null;
  /** In lower case, as is the trailer. */
  readonly header: string | null;
  readonly trailer: string | null;
  readonly metadata: readonly [namespace: string, key: string] | null;
  /** A JSON Pointer. */
  readonly json: string | null;
  /** Tokens for one of what the response says, at most 6 decimals. */
  readonly times: number;
  readonly onMissing: "keep" | "refund";
}

/** One place of a token; a header's name is in lower case. */
export type TokenSource =
  { readonly header: string } | { readonly authorization: "Bearer" } | { readonly cookie: string };

export interface Policy {
  readonly version: 1;
  readonly token: {
    /** The first of them that a request has counts. */
    readonly from: readonly [TokenSource, ...TokenSource[]];
    /** Whether the service gets the token. */
    readonly forward: boolean;
    /** Whether the service is told the session's id and plan. */
    readonly identity: boolean;
  };
  /** What access logs may say of a request. */
  readonly annotate: readonly ("session" | "plan" | "decision" | "limit")[];
  /** The first is the default plan. */
  readonly plans: readonly [Plan, ...Plan[]];
  /** The first that matches counts. */
  readonly routes: readonly Route[];
  readonly enforcement: Enforcement;
  readonly onMiss: "acquire" | "trust";
  readonly onUnreachable: "trust" | "deny";
  readonly onContention: "deny" | "allow";
  readonly onTableFull: "deny" | "allow";
  /** How long an acquire may take, and how often edges report. */
  readonly controlPlane: { readonly acquireTimeout: number; readonly reportInterval: number };
  /** How often sessions that have ended are looked for, and whether a session's end ends its open streams. */
  readonly sessions: { readonly cleanupInterval: number; readonly openStreams: "close" | "keep" };
  readonly response: {
    readonly headers: "draft" | "x-ratelimit" | "both" | "none";
    readonly body: "json" | "problem";
    /** Of limit headers that the service behind has set itself. */
    readonly upstreamHeaders: "replace" | "keep";
    /** Of the limits that applied, which `RateLimit` speaks of. */
    readonly limits: "tightest" | "all";
  };
}

/** What an edge must know before it can ask anyone: the plugin configuration in Envoy. */
export interface EdgeSettings {
  readonly version: 1;
  /** The Envoy cluster that leads to the control plane. */
  readonly controlPlane: { readonly cluster: string };
  /** Records; a power of two. */
  readonly table: { readonly name: string; readonly capacity: number };
  /** Whether the control plane's policy is taken. Where it is not, there is a `policy`. */
  readonly follow: boolean;
  /** In force until the control plane's is there, or for good where it is not followed. */
  readonly policy?: Policy;
}

export type DocumentKind = "policy" | "settings";

/** What is wrong with a field; `path` is empty for the document as a whole. */
export interface Violation {
  readonly path: string;
  readonly message: string;
}

/** A violation and its line and column in the document, both counted from 1. */
export interface LocatedViolation extends Violation {
  readonly line: number;
  readonly column: number;
}

/** `policyJson` is the policy's canonical form: the same policy always has the same text. */
export interface ValidatedPolicy {
  readonly policy: Policy;
  readonly policyJson: string;
}

/** `settingsJson` is canonical too, and `policyJson` that of the policy within, where there is one. */
export interface ValidatedSettings {
  readonly settings: EdgeSettings;
  readonly settingsJson: string;
  readonly policyJson?: string;
}
