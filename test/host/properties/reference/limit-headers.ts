// The limit headers of an answer (docs/policy.md, "Answers").
import type { Policy } from "../../../../control-plane/src/domain/policy/policy.js";
import type { PlainBucket } from "./bucket.js";
import type { Charge } from "./limits.js";
import { without, type Pairs } from "./pairs.js";

const DRAFT = ["ratelimit-policy", "ratelimit"] as const;
const OLDER = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] as const;

/** Of what the buckets hold now. */
export function plainLimitHeaders({ response }: Policy, charges: readonly Charge[], tightest: PlainBucket): Pairs {
  const buckets = charges.map(({ bucket }) => bucket);
  const draft: Pairs = [
    [DRAFT[0], buckets.map(policyOf).join(", ")],
    [DRAFT[1], (response.limits === "all" ? buckets : [tightest]).map(levelOf).join(", ")],
  ];
  const reset = tightest.secondsUntil(tightest.maxTokens);
  const older: Pairs = [
    [OLDER[0], String(tightest.maxTokens)],
    [OLDER[1], String(tightest.left)],
    ...(reset === undefined ? [] : [[OLDER[2], String(reset)] as const]),
  ];
  const { headers } = response;
  return [...(sets(headers, DRAFT) ? draft : []), ...(sets(headers, OLDER) ? older : [])];
}

function policyOf(bucket: PlainBucket): string {
  const window = bucket.windowSeconds;
  return `"${bucket.name}";q=${bucket.maxTokens}${window === undefined ? "" : `;w=${window}`}`;
}

function levelOf(bucket: PlainBucket): string {
  const { left, maxTokens, name } = bucket;
  const more = left >= maxTokens ? undefined : bucket.secondsUntil(left + 1);
  return `"${name}";r=${left}${more === undefined ? "" : `;t=${more}`}`;
}

function sets(form: Policy["response"]["headers"], names: typeof DRAFT | typeof OLDER): boolean {
  return form === "both" || form === (names === DRAFT ? "draft" : "x-ratelimit");
}

/** What a client gets of the service's headers and ours. @param ours empty: there is no bucket */
export function plainResponse({ response }: Policy, service: Pairs, ours: Pairs): Pairs {
  if (ours.length === 0) return service;
  const names: readonly string[] = [
    ...(sets(response.headers, DRAFT) ? DRAFT : []),
    ...(sets(response.headers, OLDER) ? OLDER : []),
  ];
  const has = service.some(([name]) => names.includes(name));
  if (has && response.upstreamHeaders === "keep") return service;
  return [...without(service, names), ...ours];
}
