// What the API answers, as far as commands read it. Times are ms since the epoch, tokens whole tokens.

export interface Session {
  readonly id: string;
  readonly userId: string;
  readonly orgId: string;
  readonly plan: string;
  readonly state: "live" | "revoked" | "expired";
  readonly createdAt: number;
  readonly endsAt: number;
  readonly lastActivity: number;
  /** Budget: null where the plan has none. */
  readonly tokens: { readonly issued: number; readonly consumed: number; readonly budget: number | null };
  readonly metadata: { readonly userAgent: string | null; readonly ip: string | null; readonly route: string | null };
  readonly revokedAt: number | null;
}

export interface SessionAnswer {
  readonly session: Session;
}

export interface TokenAnswer extends SessionAnswer {
  /** A secret. */
  readonly token: string;
}

/** Null: there are no more. */
type Cursor = string | null;

export interface ListAnswer {
  readonly sessions: readonly Session[];
  readonly cursor: Cursor;
}

/** Of edges: how many there are, how many refuse by now what was revoked, and the names of the others. */
export interface Confirmation {
  readonly edges: number;
  readonly confirmed: number;
  readonly pending: readonly string[];
}

export interface ConfirmationAnswer {
  readonly revocation: Confirmation;
}

export interface Revocation extends Confirmation {
  readonly id: string;
  readonly state: "running" | "finished";
  readonly examined: number;
  readonly revoked: number;
}

export interface RevocationAnswer {
  readonly revocation: Revocation;
}

export interface Edge {
  readonly edge: string;
  readonly state: string;
  readonly silentWorkers: number;
  /** Generation that it is offered. */
  readonly published: number | null;
  readonly violations: readonly { readonly path: string; readonly message: string }[];
  /** Generation to how many workers run it; 0: a policy that came from no control plane, or none. */
  readonly running: Readonly<Record<string, number>>;
  readonly watching: boolean;
  readonly lastReportAt: number | null;
  readonly lag: number | null;
  readonly instances: readonly unknown[];
}

/** Calls of an edge that were denied because their secret differs. */
export interface UnauthenticatedCaller {
  /** Empty: it claims no name. */
  readonly claimedEdge: string;
  readonly address: string;
  readonly calls: number;
  readonly lastAt: number;
}

export interface EdgesAnswer {
  readonly edges: readonly Edge[];
  /** An older control plane has none. */
  readonly unauthenticated?: readonly UnauthenticatedCaller[];
}

export interface AuditEntry {
  readonly number: number;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly sessionId: string | null;
  readonly details: Readonly<Record<string, string | number | null>>;
}

export interface AuditAnswer {
  readonly entries: readonly AuditEntry[];
  readonly cursor: Cursor;
}

export interface UsageAnswer {
  readonly consumed: number;
  /** Of these, what was consumed through the API. */
  readonly direct: number;
  readonly edges: readonly {
    readonly edge: string;
    readonly instances: readonly {
      readonly instance: string;
      readonly consumed: number;
      readonly lastReport: number | null;
      readonly lastActivity: number | null;
    }[];
  }[];
}

export interface BucketsAnswer {
  readonly buckets: readonly {
    readonly edge: string;
    readonly capacity: number;
    readonly tokens: number;
    /** Tokens per second. */
    readonly refillRate: number;
    readonly lastRefill: number;
  }[];
}

export interface ConsumeAnswer {
  readonly budget: number;
  readonly consumed: number;
  readonly remaining: number;
}
