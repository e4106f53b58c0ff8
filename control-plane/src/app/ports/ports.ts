// What the use cases need from outside: time, randomness, a log, counters, the policy in force, and durable storage.
import type { PlansOfPolicy } from "../../domain/plan.js";
import type { Session } from "../../domain/session.js";
import type { AuditEvent, LogPosition } from "../../domain/stored.js";
import type { Updates } from "./update-ports.js";

export interface Clock {
  /** Wall clock, ms since the epoch. May jump. */
  nowMs(): number;
  /** Never goes back; only differences mean something. */
  monotonicMs(): number;
}

/** A wall clock whose jumps count only once they have lasted for a grace. */
export interface SteadyClock extends Clock {
  /** ms since a time that `nowMs` gave. While this process runs, jumps are no part of it. */
  elapsedMs(sinceMs: number): number;
  /**
   * Before then nothing that was created at that time ends by the clock: a start has no other clock to hold it against, so
   * what is from before waits for a grace. -Infinity: it need not wait.
   */
  endsNotBeforeMs(createdAtMs: number): number;
  /** False: the clock has jumped, or has only begun. Nothing is removed by it yet. */
  isSettled(): boolean;
}

export interface Random {
  /** n bytes fit for secrets. */
  bytes(n: number): Uint8Array;
}

/** What a line is about: programs that read the log decide by it. */
export interface LogFields {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** Structured lines. A pino logger is one. Never hand it a token, a credential or a header. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
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

/** A numbered policy. Immutable: a change is a new object with a higher generation. */
export interface ActivePolicy {
  /** Numbers a decision: going back to an older policy has a new one. */
  readonly generation: number;
  readonly policy: PlansOfPolicy;
}

/** What sessions are decided by. Which generation an edge is to run, `PolicyPublisher.published` says. */
export interface CurrentPolicy {
  /** Undefined until the first policy was loaded. */
  current(): Pick<ActivePolicy, "policy"> | undefined;
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

/** A decision on the policy, to be stored under the next generation. */
export interface PolicyDecision {
  readonly generation: number;
  /** The validated policy, defaults filled in, as JSON. */
  readonly policyJson: string;
  /** Of the JSON, as edges compute it too. */
  readonly hash: string;
  /** When, ms since the epoch, and from where it was taken. Null: an earlier version decided, and did not keep it. */
  readonly atMs: number | null;
  readonly source: string | null;
}

export interface StoredPolicy extends PolicyDecision {
  /** Up to where the invalidation log had been written. Null as above. */
  readonly position: LogPosition | null;
}

/** What is kept of the generations: so many of the newest, and those named. */
export interface GenerationsKept {
  /** At least 1. */
  readonly newest: number;
  readonly also: ReadonlySet<number>;
}

/** Every generation of the policy that is kept, so that a restart neither loses one nor counts anew. Durable as above. */
export interface PolicyStore {
  /** 0 before the first. */
  newestGeneration(): Promise<number>;
  /** Undefined where there was none of this number, or it is kept no more. */
  policy(generation: number): Promise<StoredPolicy | undefined>;
  /**
   * In one transaction with the audit log's entry for it. False, and nothing is written, where the newest stored
   * generation is another than expected; 0 stands for none.
   */
  savePolicy(decision: PolicyDecision, expectedGeneration: number, audited?: AuditEvent): Promise<boolean>;
  /** Removes all others. Answers how many. */
  forgetPolicies(kept: GenerationsKept): Promise<number>;
}
