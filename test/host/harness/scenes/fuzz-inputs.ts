// What fuzz tests send: header values and policies that are nearly right, or far from it.
import { createHash } from "node:crypto";
import { LOG, OTHER_LOG, plan, policy } from "./documents.js";
import { breakBytes, breakJson } from "./mutations.js";
import { headersOf } from "./policy-offer.js";
import type { Random } from "../host/random.js";

/** Capacity, instance, logCursor, leader, policy, bell, violations, the last good policy. */
export const KEYS_BESIDE_SETS = 8;

/** Every field that a policy may have. */
export const POLICY = policy({
  header: "x-session-id",
  plans: [plan({ onMaxSessions: "refuse", scope: "edge" }), plan({ id: 9, name: "gold", tokenRefillRate: 0.5 })],
  routes: [],
  enforcement: "enforce",
  onMiss: "acquire",
  controlPlane: { acquireTimeout: 250, reportInterval: 5000 },
  sessions: { cleanupInterval: 60_000 },
  response: { headers: "draft", body: "json" },
});

/** A request's header value: near a genuine token, or far from one. */
export function anyToken(genuine: string, random: Random): string {
  const kind = random.below(4);
  if (kind === 0) return genuine;
  if (kind === 1) return Buffer.from(random.bytes(random.below(100))).toString("latin1");
  if (kind === 2) return "A".repeat(random.below(30_000));
  return Buffer.from(breakBytes(Buffer.from(genuine), random)).toString("latin1");
}

/** A policy as an answer to a watch, mostly with something broken: its bytes, its headers, or what they say of it. */
export function anyOffer(generation: number, random: Random): [Uint8Array | string, Record<string, string>] {
  const lifetime = 3_600_000 + random.below(1000);
  const document = { ...POLICY, plans: [plan({ lifetime }), plan({ id: 9, name: "gold", tokenRefillRate: 0.5 })] };
  const good = JSON.stringify(document);
  const broken = random.chance(0.5) ? breakJson(document, random) : breakBytes(Buffer.from(good), random);
  const body = random.chance(0.3) ? good : broken;
  const text = Buffer.from(body);
  const headers = headersOf("", {
    generation: random.chance(0.8) ? generation : random.pick([0, 1, -1, 0.5, 9e15, 1e21]),
    log: random.pick([LOG, LOG, LOG, OTHER_LOG, "", "0000000000000000", "x"]),
    hash: createHash("sha256").update(text).digest("hex").slice(0, 16),
    spreadMs: random.pick([0, 500, 9e15]),
  });
  const kept = Object.entries(headers).filter(() => random.chance(0.97));
  const spoilt = kept.map(([name, value]): [string, string] =>
    random.chance(0.03)
      ? [name, Buffer.from(breakBytes(Buffer.from(value), random)).toString("latin1")]
      : [name, value],
  );
  return [body, Object.fromEntries(spoilt)];
}
