// A random policy that is valid, as its author means it: every field is there.
import type { Policy, TokenSource } from "../../../../control-plane/src/domain/policy/policy.js";
import type { Random } from "../../harness/host/random.js";
import { randomEnforcement } from "./enforcements.js";
import { randomPlans } from "./plans.js";
import { randomRoutes, some } from "./routes.js";

const SOURCES: readonly TokenSource[] = [
  { header: "x-session-id" },
  { header: "x-token" },
  { authorization: "Bearer" },
  { cookie: "sid" },
  { cookie: "Sid" },
];
const WORDS = ["session", "plan", "decision", "limit"] as const;

export function randomPolicy(random: Random, settles: boolean): Policy {
  const plans = randomPlans(random);
  return {
    version: 1,
    token: randomToken(random),
    annotate: random.chance(0.5) ? [...WORDS].filter(() => random.chance(0.8)) : [],
    plans,
    routes: randomRoutes(random, plans, settles),
    enforcement: random.chance(0.5) ? "enforce" : randomEnforcement(random),
    onMiss: random.chance(0.1) ? "trust" : "acquire",
    onUnreachable: random.pick(["trust", "deny"]),
    onContention: random.pick(["deny", "allow"]),
    onTableFull: random.pick(["deny", "allow"]),
    controlPlane: { acquireTimeout: random.pick([250, 1000]), reportInterval: random.pick([5000, 60_000]) },
    sessions: { cleanupInterval: 60_000, openStreams: random.pick(["close", "keep"]) },
    response: {
      headers: random.pick(["draft", "draft", "x-ratelimit", "both", "none"]),
      body: random.pick(["json", "problem"]),
      upstreamHeaders: random.pick(["replace", "keep"]),
      limits: random.pick(["tightest", "all"]),
    },
  };
}

function randomToken(random: Random): Policy["token"] {
  if (random.chance(0.3)) return { from: [{ header: "x-session-id" }], forward: true, identity: false };
  const [first, ...others] = some(random, SOURCES).sort(() => random.fraction() - 0.5);
  if (first === undefined) throw new Error("a policy looks somewhere");
  return { from: [first, ...others], forward: random.chance(0.5), identity: random.chance(0.5) };
}
