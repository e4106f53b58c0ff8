// The policy that a process begins with: the stored one, or where there is none that it can read, the source's.
import type { PolicyReading } from "../ports/policy-ports.js";
import { countEndedSessions } from "./ended-sessions.js";
import { NoPolicyError, saved, stored, wholly } from "./policy-steps.js";
import type { Numbered, PolicyServiceParts, SourceReading } from "./policy-steps.js";
import { knownAs } from "./source-standing.js";

/** Control planes that start at once over an empty store: one of them decides, the others take that. */
const MAX_RACES = 5;

export interface Beginning {
  readonly policy: Numbered;
  /** The source's text is this very policy: it is decided on. */
  readonly isOfSource: boolean;
}

/** @throws NoPolicyError */
export async function beginning(parts: PolicyServiceParts, reading: SourceReading): Promise<Beginning> {
  for (let races = 0; races < MAX_RACES; races++) {
    const newest = await parts.store.newestGeneration();
    const last = await stored(parts, newest);
    if (last !== undefined) return { policy: last, isOfSource: false };
    const before = await olderOfSource(parts, reading, newest);
    if (before !== undefined) return { policy: before, isOfSource: false };
    const policy = await first(parts, reading, newest);
    if (policy !== undefined) return { policy, isOfSource: true };
  }
  throw new Error(`other processes saved a first policy, ${MAX_RACES} times, that this version cannot read`);
}

/**
 * Of a shared store whose newest generation a later version wrote: what the source says, where that is an older decision.
 * This process serves as before then, and decides nothing.
 */
async function olderOfSource(parts: PolicyServiceParts, reading: PolicyReading, newest: number) {
  if (parts.shared === undefined || newest === 0 || "violations" in reading) return undefined;
  return knownAs(parts, reading.policyJson, { below: newest, from: 1 });
}

/**
 * The policy to begin with where none is stored, or none that this version can use. What was in force is not known then,
 * and nothing could stay in force: a policy that would end sessions before the end that they were made with is none.
 * Undefined where another process was faster.
 */
async function first(parts: PolicyServiceParts, reading: PolicyReading, before: number): Promise<Numbered | undefined> {
  const { name } = parts.source;
  if ("violations" in reading) throw new NoPolicyError(name, reading.violations);
  const { sessions } = await countEndedSessions(parts, { before: undefined, after: reading.policy }, 0);
  if (sessions > 0) throw new NoPolicyError(name, [wholly(endsUnconfirmed(sessions))]);
  const policy = await saved(parts, reading, { before, generation: before + 1 });
  if (policy === undefined) return undefined;
  const fields = { event: "policy-accepted", source: parts.source.name, generation: policy.generation };
  parts.logger.info(fields, "policy accepted");
  return policy;
}

const endsUnconfirmed = (sessions: number): string =>
  `would end ${sessions === 1 ? "1 live session" : `${sessions} live sessions`} of the store, whose own policy this ` +
  "version cannot read: start with longer lifetimes, and save this one when it runs";
