// What the use cases need from outside: time, randomness, a log, counters, the policy in force, and durable storage.
import type { PlansOfPolicy } from "../../domain/plan.js";
import type { Session } from "../../domain/session.js";
import type { LogPosition } from "../../domain/stored.js";
import type { AuditEvent } from "./audit-ports.js";
import type { Updates } from "./update-ports.js";

export type { LogPosition } from "../../domain/stored.js";

export interface Clock {
  /** Wall clock, ms since the epoch. May jump. */
  nowMs(): number;
  /** Never goes back; only differences mean something. */
  monotonicMs(): number;
}

export interface Random {
  /** n bytes fit for secrets. */
  bytes(n: number): Uint8Array;
}

/** Structured lines. A pino logger is one. Never hand it a token, a credential or a header. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** replaced: revoked because its user may have only so many. expired: past its lifetime. */
export type RemovalReason = "revoked" | "replaced" | "expired" | "idle";
export type AcquireOutcome = "live" | "revoked" | "expired" | "unknown" | "unavailable";

/** What happened, for whoever counts it. */
export interface Meter {
  sessionCreated(): void;
  sessionRemoved(reason: RemovalReason, durationMs: number): void;
  acquired(outcome: AcquireOutcome): void;
}

/** The policy in force. Immutable: a change is a new object with a higher generation. */
export interface ActivePolicy {
  readonly generation: number;
  readonly policy: PlansOfPolicy;
}

export interface CurrentPolicy {
  /** Undefined until the first policy was loaded. */
  current(): ActivePolicy | undefined;
}

/** Sessions and how they change. Every read shows only what is durable. */
export interface SessionStore extends Updates {
  find(id: string): Promise<Session | undefined>;
  /** The invalidation log's: up to where it has been written. `cursor` only grows within one `log`. */
  position(): Promise<LogPosition>;
  /** How many sessions of the plan, created at or after `sinceMs`, have not ended for good. */
  countLive(planId: number, sinceMs: number): Promise<number>;
  close(): Promise<void>;
}

export interface StoredPolicy {
  readonly generation: number;
  /** The validated policy, defaults filled in, as JSON. */
  readonly policyJson: string;
}

/** The last accepted policy, so that a restart neither loses it nor counts its generation anew. Durable as above. */
export interface PolicyStore {
  loadPolicy(): Promise<StoredPolicy | undefined>;
  /**
   * In one transaction with the audit log's entry for it. False, and nothing is written, where the stored generation is
   * another than expected; 0 stands for none.
   */
  savePolicy(policy: StoredPolicy, expectedGeneration: number, audited?: AuditEvent): Promise<boolean>;
}
