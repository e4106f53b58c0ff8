// Policies for tests: a document from what a test cares about. JSON is YAML, so the file is written as JSON.

/** A number is ms. */
export type Duration = number | string;

/** One of the two. */
export interface Rate {
  readonly tokenRefillRate?: number;
  readonly refill?: string;
}

export interface Limit extends Rate {
  readonly name: string;
  readonly maxTokens: number;
  readonly applies?: "always" | "routes";
}

export interface Plan extends Rate {
  readonly name: string;
  readonly maxTokens: number;
  readonly limits?: readonly Limit[];
  readonly maxAge?: Duration;
  readonly lifetime?: Duration;
  readonly tokenBudget?: number;
  readonly maxSessionsPerUser?: number;
  readonly onMaxSessions?: "refuse" | "removeOldest";
  readonly scope?: "edge" | "fleet";
  readonly enforcement?: Enforcement;
  readonly onUnreachable?: "trust" | "deny";
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
  readonly exempt?: boolean;
  readonly enforcement?: Enforcement;
  readonly limits?: Readonly<Record<string, number | null>>;
  readonly settle?: Settle;
}

export interface Settle {
  readonly limit?: string;
  readonly header?: string;
  readonly trailer?: string;
  readonly metadata?: readonly [namespace: string, key: string];
  readonly json?: string;
  readonly times?: number;
  readonly onMissing?: "keep" | "refund";
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
  readonly controlPlane?: { readonly acquireTimeout?: Duration; readonly reportInterval?: Duration };
  readonly sessions?: { readonly cleanupInterval?: Duration; readonly openStreams?: "close" | "keep" };
  readonly response?: {
    readonly headers?: "draft" | "x-ratelimit" | "both" | "none";
    readonly body?: "json" | "problem";
    readonly upstreamHeaders?: "replace" | "keep";
    readonly limits?: "tightest" | "all";
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
