// Random requests: where they go, whose token they carry and in which places, and what the service answers.
import type { Policy, TokenSource } from "../../../../control-plane/src/domain/policy/policy.js";
import { withBitFlipped } from "../../harness/scenes/tokens.js";
import type { Random } from "../../harness/host/random.js";
import type { Pairs } from "../reference/pairs.js";
import { randomPath } from "./routes.js";

const INVENTED = "x".repeat(48);
const VALUES = ["0", "1", "3", "2.5", "7.000001", "40", "100000", "4294967295", "1000000000000", "-1", "many"] as const;

export function randomRequest(random: Random, policy: Policy, tokens: readonly string[]): Pairs {
  const lines: (readonly [string, string])[] = [[":method", random.pick(["GET", "GET", "POST", "PUT"])]];
  if (random.chance(0.95)) lines.push([":path", pathOf(random, policy)]);
  if (random.chance(0.95)) lines.push([":authority", random.pick(["a.test", "B.test:80", "x.A.test.", "c.test"])]);
  if (random.chance(0.4)) lines.push(["x-a", random.pick(["1", "2"])]);
  if (random.chance(0.2)) lines.push(["x-b", "two words"]);
  if (random.chance(0.2)) lines.push(["x-sluice-plan", "forged"], ["x-sluice-session", "forged"]);
  if (random.chance(0.2)) lines.push(["accept-encoding", "gzip"]);
  const places = random.chance(0.95)
    ? policy.token.from
    : [...policy.token.from, { cookie: "other" }, { header: "x-token" }];
  const cookies: string[] = random.chance(0.3) ? ["theme=dark"] : [];
  for (let n = random.pick([0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2]); n > 0; n--) {
    place(random, random.pick(places), tokenOf(random, tokens), lines, cookies);
  }
  if (cookies.length > 0 && random.chance(0.3)) lines.push(...cookies.map((cookie) => ["cookie", cookie] as const));
  else if (cookies.length > 0) lines.push(["cookie", cookies.join("; ")]);
  return lines;
}

function pathOf(random: Random, { routes }: Policy): string {
  const known = routes.flatMap(({ match }) => [match.path ?? match.prefix ?? match.template ?? "/"]);
  const path =
    known.length > 0 && random.chance(0.5) ? random.pick(known).replaceAll(/\{\w+\*?\}/g, "b") : randomPath(random);
  return `${path}${random.pick(["", "", "/a", "?a=//"])}`;
}

function tokenOf(random: Random, tokens: readonly string[]): string {
  const token = random.pick(tokens);
  const kind = random.below(40);
  if (kind === 0) return INVENTED;
  if (kind === 1) return token.slice(1);
  return kind === 2 ? withBitFlipped(token, random.below(288)) : token;
}

function place(
  random: Random,
  source: TokenSource,
  token: string,
  lines: (readonly [string, string])[],
  cookies: string[],
): void {
  if ("header" in source) lines.push([source.header, random.chance(0.03) ? "" : token]);
  else if ("cookie" in source) cookies.push(`${source.cookie}=${random.chance(0.2) ? `"${token}"` : token}`);
  else
    lines.push([
      "authorization",
      `${random.pick(["Bearer", "bearer", "BEARER", "Bearer", "Bearer", "Bearer", "Bearer", "Basic"])} ${token}`,
    ]);
}

/** What the service answers, and the cost that it says, if any. */
export interface ServiceAnswer {
  readonly headers: Pairs;
  readonly cost: string | undefined;
}

export function randomAnswer(random: Random): ServiceAnswer {
  const headers: (readonly [string, string])[] = [[":status", random.pick(["200", "404"])]];
  if (random.chance(0.15)) headers.push(["ratelimit", '"theirs";r=1'], ["ratelimit", "again"]);
  if (random.chance(0.15)) headers.push(["x-ratelimit-limit", "1"], ["x-ratelimit-reset", "9"]);
  if (random.chance(0.1)) headers.push(["retry-after", "7"]);
  return { headers, cost: random.chance(0.75) ? random.pick(VALUES) : undefined };
}

/** µs that pass: none, some, or up to 50 minutes. */
export function randomWait(random: Random, isShort: boolean): number {
  const most = random.pick(isShort ? [1, 1000, 300_000] : [1, 50_000, 1_000_000, 60_000_000, 3_000_000_000]);
  if (random.chance(0.25)) return 0;
  const us = random.below(most);
  return random.chance(0.4) ? us - (us % 1000) : us;
}
