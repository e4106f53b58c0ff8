// An edge whose plan is of scope fleet, and what it and the control plane say to each other of a session's lease.
import { LEASE_TTL_MS, MICROTOKENS_PER_TOKEN } from "../../../../assembly/contract.js";
import type { Callout } from "../host/callouts.js";
import { LOG, plan, policy, type PolicyDocument } from "./documents.js";
import { Edge, type EdgeOptions } from "./edge.js";
import type { Stream } from "../host/stream.js";
import type { Session } from "./tokens.js";

type Amounts = Readonly<Record<string, number>>;

/** One ask of a call; amounts are microtokens. */
export interface Ask {
  readonly session: string;
  readonly ask: number;
  readonly applied: number;
  readonly left?: Amounts;
  readonly back?: Amounts;
  readonly settled?: Amounts;
  readonly cost?: Amounts;
  readonly want?: Amounts;
}

/** What is granted by bucket, whole tokens. */
export interface Grant {
  readonly tokens?: Amounts;
  readonly ttl?: number;
  readonly refused?: { readonly limit: string; readonly retryAfter: number };
}

/** A plan of 100 tokens that never refills. */
export function fleetPolicy(
  overrides: Readonly<Record<string, unknown>> = {},
  rest: PolicyDocument = {},
): PolicyDocument {
  return policy({ plans: [plan({ maxTokens: 100, scope: "fleet", ...overrides })], ...rest });
}

export const micro = (amounts: Amounts): Record<string, number> =>
  Object.fromEntries(Object.entries(amounts).map(([name, tokens]) => [name, tokens * MICROTOKENS_PER_TOKEN]));

export function leaseOf(ask: number, { tokens = {}, ttl = LEASE_TTL_MS, refused }: Grant): object {
  return { ask, granted: micro(tokens), ttl, refused };
}

export const asksOf = (call: Callout): Ask[] => (call.json as { asks: Ask[] }).asks;

/** The one ask of the one lease call that is out. */
export function askOut(edge: Edge): Ask {
  const [call, ...others] = edge.pendingLeases;
  if (call === undefined || others.length > 0) throw new Error(`${edge.pendingLeases.length} lease calls are out`);
  const [ask, ...more] = asksOf(call);
  if (ask === undefined || more.length > 0) throw new Error("the call does not ask about one session");
  return ask;
}

/** Answers the lease calls that are out: each ask by this grant, or by what is made of it. */
export function answerLeases(edge: Edge, grant: Grant | ((ask: Ask) => object), log = LOG): void {
  for (const call of edge.pendingLeases) call.answer(200, leaseAnswer(call, grant, log));
}

export function leaseAnswer(call: Callout, grant: Grant | ((ask: Ask) => object), log = LOG): string {
  const leases = asksOf(call).map((ask) => ({
    session: ask.session,
    ...(typeof grant === "function" ? { ask: ask.ask, ...grant(ask) } : leaseOf(ask.ask, grant)),
  }));
  return JSON.stringify({ log, leases });
}

/** A session that came with a first lease, of which its request has taken one token. */
export function leased(
  tokens: number,
  options: EdgeOptions = {},
): { readonly edge: Edge; readonly session: Session; readonly first: Stream } {
  const edge = new Edge({ policy: fleetPolicy(), ...options });
  const session = edge.newSession();
  const first = edge.send(session);
  edge.answerLive({ tokens: 0, lease: leaseOf(1, { tokens: { "": tokens } }) });
  return { edge, session, first };
}

/** Whole tokens that are left of the plan's own bucket's lease here. */
export const leftHere = (edge: Edge, session: Session): number | undefined =>
  edge.table.record(session.id)?.levelTokens;

/** A counter, once every worker has said its counts. */
export function sumOf(edge: Edge, name: string): number {
  edge.flush();
  return edge.host.metrics.sum(name);
}
