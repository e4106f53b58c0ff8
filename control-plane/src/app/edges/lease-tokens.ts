// Use case: an edge asks for tokens of fleet budgets, and gives back what it does not need (docs/edge-protocol.md, lease).
import type { LeasedSession, SessionAsk } from "../../domain/decisions/lease-tokens.js";
import type { LeaseAnswer, LeaseAsk } from "../../domain/leases/lease-ask.js";
import type { Instance } from "../../domain/stored.js";
import type { UsagePorts } from "./usage.js";

/** What of an ask an acquire says too. */
export type LeaseWish = Pick<LeaseAsk, "at" | "cost" | "want">;

/** An ask of a call: the call says whose it is. */
export type AskOfCall = Omit<SessionAsk, keyof Instance>;

export interface LeaseCall extends Instance {
  readonly asks: readonly AskOfCall[];
  /** Of each ask that is none its session's id, where that much can be read. */
  readonly malformed: readonly (string | undefined)[];
}

/** over: the edge has nothing of this session to spend any more. */
export type LeaseOfCall = { readonly sessionId: string } & (
  LeaseAnswer | { readonly ask: number; readonly over: true }
);

export interface LeasesAnswer {
  /** The store's at the moment of the decisions. */
  readonly log: string;
  /** Of the asks that are some, in their order. */
  readonly leases: readonly LeaseOfCall[];
}

/**
 * The answers once what was granted is durable. Undefined, and nothing was taken, where too much waits to be written. What could
 * not be written, while others could, is left out, and so is an answer of another log than theirs: the edge asks again.
 * @throws NotWritten where none could be written
 */
export async function leaseTokens(ports: UsagePorts, call: LeaseCall): Promise<LeasesAnswer | undefined> {
  const { edge, instance, malformed } = call;
  ports.droppedAsks.note({ edge, instance }, malformed);
  const asks = call.asks.map((ask): SessionAsk => ({ ...ask, edge, instance }));
  const committed = await ports.leases.commit(asks);
  if (committed === undefined) return undefined;
  // The newest.
  const log = [...committed.values()].at(-1)?.log ?? (await ports.store.position()).log;
  const leases = asks.flatMap((ask) => {
    const became = committed.get(ask.sessionId);
    return became?.log === log ? [answerTo(ask, became)] : [];
  });
  return { log, leases };
}

function answerTo(ask: SessionAsk, { leased }: LeasedSession): LeaseOfCall {
  const { sessionId } = ask;
  const answer = leased.find((one) => one.ask === ask)?.answer;
  return answer === undefined ? { sessionId, ask: ask.ask, over: true } : { sessionId, ...answer };
}
