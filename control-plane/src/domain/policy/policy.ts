// A policy as its document writes it, defaults filled in. What it may say is decided in assembly/domain/policy.

/** Durations are in ms; null means that there is no such limit. */
export interface Plan {
  readonly id: number;
  readonly name: string;
  /** Bucket capacity, whole tokens. */
  readonly maxTokens: number;
  /** Tokens per second, at most 6 decimals. */
  readonly tokenRefillRate: number;
  /** Idle time after which a session ends. */
  readonly maxAge: number;
  /** Age at which a session ends. */
  readonly lifetime: number;
  /** Tokens a session may consume in all. */
  readonly tokenBudget: number | null;
  readonly scope: "edge" | "fleet";
  readonly maxSessionsPerUser: number | null;
  readonly onMaxSessions: "refuse" | "removeOldest";
}

export interface Policy {
  readonly version: 1;
  /** Lower case. */
  readonly header: string;
  /** The first is the default plan. */
  readonly plans: readonly [Plan, ...Plan[]];
  readonly routes: readonly [];
  readonly enforcement: "enforce" | "shadow" | "off";
  readonly onMiss: "acquire" | "trust";
  readonly onUnreachable: "trust" | "deny";
  readonly onContention: "deny" | "allow";
  readonly onTableFull: "deny" | "allow";
  readonly controlPlane: { readonly acquireTimeout: number; readonly reportInterval: number };
  readonly sessions: { readonly cleanupInterval: number };
  readonly response: {
    readonly headers: "draft" | "x-ratelimit" | "both" | "none";
    readonly body: "json" | "problem";
  };
}

/** What is wrong with a field; `path` is empty for the document as a whole. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

/** A fault and its place in the document, both counted from 1. */
export interface PlacedFault extends Fault {
  readonly line: number;
  readonly column: number;
}

/** `policyJson` is the policy's canonical form: the same policy always has the same text. */
export interface JudgedPolicy {
  readonly policy: Policy;
  readonly policyJson: string;
}
