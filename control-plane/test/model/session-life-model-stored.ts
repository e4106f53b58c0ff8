// What the model of a session's life keeps, in plain maps.
import type { PlanOfPolicy } from "../../src/domain/plan.js";

/** What an instance spent, as of one rev. */
export interface Spent {
  readonly rev: number;
  readonly consumed: number;
  readonly levelMicro: number;
  /** In further limits, by name; those that the plan had at the instance then. */
  readonly limits?: Readonly<Record<string, number>>;
}

export interface ModelLevel {
  readonly levelMicro: number;
  readonly atMs: number;
}

export interface ModelFigures extends Omit<Spent, "limits">, ModelLevel {
  readonly reportedAtMs: number;
  readonly limits: ReadonlyMap<string, ModelLevel>;
}

export interface ModelSession {
  readonly id: string;
  readonly userId: string;
  readonly orgId: string;
  readonly issuer: string;
  readonly createdAt: number;
  /** As it was when the session was made or got another plan. */
  plan: PlanOfPolicy;
  lastActivity: number;
  /** Consumed through the API. */
  direct: number;
  revokedAt: number | null;
  idleEnded: boolean;
  announcedBudget: number | null;
  /** By digits of the instance; null: acquired and not reported. */
  readonly rows: Map<string, ModelFigures | null>;
}

export interface ModelInvalidation {
  readonly kind: "revoked" | "refresh";
  readonly id: string;
  readonly atMs: number;
}

/** Which session a command is about. */
export interface AnySession {
  readonly among: "live" | "stored" | "ever";
  readonly index: number;
}

/** What a request for a session says. */
export interface Said {
  readonly userId: string;
  readonly orgId: string;
  /** Who asks. */
  readonly issuer: string;
  readonly plan: string | undefined;
}

/** What the store holds: a backup is a copy of this. */
export interface Stored {
  readonly sessions: Map<string, ModelSession>;
  readonly creations: Map<string, { said: Said; id: string; planId: number; atMs: number }>;
  readonly consumptions: Map<string, { count: number; budget: number; consumed: number; atMs: number }>;
  readonly invalidations: ModelInvalidation[];
  /** Invalidations that are not kept any more. */
  trimmed: number;
  readonly audited: string[];
}
