// The filter's counters as reports name them: a family, `requests`, and its labels, `outcome=allowed.plan=gold`. A test holds the
// list equal to what the filter counts. What is not in it is none: whoever has an edge's credential can send any name.
import { MAX_NAME_CHARS } from "../../../../assembly/contract.js";

/** In place of an edge, a plan or a limit that has no series of its own. No policy can name a plan so. */
export const OTHER = "_other";

/** A name that a policy gives. */
const NAMED = "named";
const NAME = new RegExp(`^[a-z0-9-]{1,${MAX_NAME_CHARS}}$`);

/** A label's words, or NAMED. */
type Values = readonly string[] | typeof NAMED;

const REQUESTS = ["allowed", "limited", "missing", "invalid", "unavailable", "no_policy", "exempt"];
const SHADOW = ["shadow_limited", "shadow_missing", "shadow_invalid", "shadow_unavailable"];
const MISSES = ["live", "revoked", "expired", "unknown", "unverified", "denied", "forged", "too_old", "busy"];
const CALLS = ["acquire", "report", "watch", "lease"];
const CALL_FAILURES = [
  "no_cluster",
  "no_host",
  "timeout",
  "unauthorized",
  "overloaded",
  "error",
  "malformed",
  "rejected",
];
const SETTLED = ["settled", "no_value", "invalid", "too_long", "compressed"];
const NOT_SETTLED = ["no_note", "no_record", "ended", "other_limits", "no_lease_note"];
const ASKS = ["granted", "refused", "returned", "stale", "over", "dropped", "lost"];

/** By family, its labels. The filter's metric is `sluice_FAMILY_total`. */
export const FAMILIES = {
  requests: { outcome: [...REQUESTS, ...SHADOW], plan: NAMED, limit: NAMED },
  tokens_spent: { plan: NAMED },
  misses: { outcome: MISSES },
  cas_retries: {},
  cas_exhausted: {},
  table_full: {},
  table_evictions: {},
  restores: {},
  report_failures: {},
  calls: { call: CALLS, outcome: ["ok", ...CALL_FAILURES] },
  headers_omitted: {},
  streams_closed: {},
  streams_untracked: {},
  tokens_reserved: {},
  tokens_settled: {},
  tokens_refunded: {},
  tokens_overdrawn: {},
  settlements: { outcome: [...SETTLED, ...NOT_SETTLED] },
  lease_asks: { outcome: ASKS },
  lease_tokens_granted: {},
  lease_tokens_returned: {},
  lease_refusals: {},
  lease_waits: {},
} as const satisfies Readonly<Record<string, Readonly<Record<string, Values>>>>;

export type Family = keyof typeof FAMILIES;

export type Labels = Readonly<Record<string, string>>;

export interface EdgeCounter {
  /** As reports have it. */
  readonly name: string;
  readonly family: Family;
  readonly labels: Labels;
  /** The same without what a policy names; itself where there is nothing of that kind. */
  readonly general: EdgeCounter;
}

/** Undefined: the filter of this version has no such counter. */
export function counterNamed(name: string): EdgeCounter | undefined {
  const [family = "", ...pairs] = name.split(".");
  if (!isFamily(family)) return undefined;
  const known: Readonly<Record<string, Values>> = FAMILIES[family];
  const labels = new Map<string, string>();
  for (const pair of pairs) {
    const [label = "", value = "", ...more] = pair.split("=");
    const values = Object.hasOwn(known, label) ? known[label] : undefined;
    if (values === undefined || more.length > 0 || labels.has(label) || !isOf(values, value)) return undefined;
    labels.set(label, value);
  }
  // What has words is there always; a plan or a limit only where the counter is of one.
  for (const [label, values] of Object.entries(known)) if (values !== NAMED && !labels.has(label)) return undefined;
  return counterOf(name, family, [...labels]);
}

function counterOf(name: string, family: Family, labels: [label: string, value: string][]): EdgeCounter {
  const known: Readonly<Record<string, Values>> = FAMILIES[family];
  const others = labels.map(([label, value]): [string, string] => [label, known[label] === NAMED ? OTHER : value]);
  const general: EdgeCounter = {
    name: [family, ...others.map((pair) => pair.join("="))].join("."),
    ...{ family, labels: Object.fromEntries(others) },
    get general() {
      return general;
    },
  };
  if (others.every(([, value], index) => value === labels[index]?.[1])) return general;
  return { name, family, labels: Object.fromEntries(labels), general };
}

const isFamily = (family: string): family is Family => Object.hasOwn(FAMILIES, family);

const isOf = (values: Values, value: string): boolean => (values === NAMED ? NAME.test(value) : values.includes(value));
