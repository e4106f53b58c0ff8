// Policies for tests: a document from what a test cares about. JSON is YAML, so the file is written as JSON.

export interface Limit {
  readonly name: string;
  readonly maxTokens: number;
  readonly tokenRefillRate?: number;
  readonly refill?: string;
  readonly applies?: "always" | "routes";
}

export interface Plan {
  readonly name: string;
  readonly maxTokens: number;
  readonly tokenRefillRate: number;
  readonly limits?: readonly Limit[];
  readonly maxAge?: number;
  readonly lifetime?: number;
  readonly tokenBudget?: number;
  readonly maxSessionsPerUser?: number;
  readonly onMaxSessions?: "refuse" | "removeOldest";
  readonly enforcement?: Enforcement;
}

export type Enforcement = "enforce" | "shadow" | "observe" | "off" | { readonly shadow: number };

export interface Route {
  readonly match: {
    readonly path?: string;
    readonly prefix?: string;
    readonly template?: string;
    readonly methods?: readonly string[];
    readonly hosts?: readonly string[];
    readonly headers?: readonly { readonly name: string; readonly value?: string }[];
  };
  readonly cost?: number;
  readonly limits?: Readonly<Record<string, number | null>>;
  readonly exempt?: boolean;
  readonly enforcement?: Enforcement;
}

export interface PolicyRest {
  readonly header?: string;
  readonly routes?: readonly Route[];
  readonly token?: {
    readonly from?: readonly Readonly<Record<string, string>>[];
    readonly forward?: boolean;
    readonly identity?: boolean;
  };
  readonly annotate?: readonly string[];
  readonly enforcement?: Enforcement;
  readonly onMiss?: "acquire" | "trust";
  readonly onUnreachable?: "trust" | "deny";
  readonly onTableFull?: "deny" | "allow";
  readonly controlPlane?: { readonly acquireTimeout?: number; readonly reportInterval?: number };
  readonly sessions?: { readonly cleanupInterval?: number; readonly openStreams?: "close" | "keep" };
  readonly response?: {
    readonly headers?: "draft" | "x-ratelimit" | "both" | "none";
    readonly body?: "json" | "problem";
    readonly limits?: "tightest" | "all";
    readonly upstreamHeaders?: "replace" | "keep";
  };
}

export interface PolicyDocument extends PolicyRest {
  readonly version: 1;
  readonly plans: readonly (Plan & { readonly id: number })[];
}

/**
 * On a machine of two cores that runs Envoy, the control plane and the test, an answer can take longer than the default
 * 250 ms; a test that is not about the timeout must not meet it. The longest that a policy may say.
 */
const PATIENT = { acquireTimeout: 4000 };

/** The plans get their ids in order; the first is the default plan. */
export function policyOf(plans: readonly Plan[], rest: PolicyRest = {}): PolicyDocument {
  const numbered = plans.map((plan, id) => ({ id, ...plan }));
  return { version: 1, plans: numbered, ...rest, controlPlane: { ...PATIENT, ...rest.controlPlane } };
}
