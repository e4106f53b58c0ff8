// Answers of one call are all of one log of the store: an edge follows one, and takes no answer of another.
import { knownOf } from "../../domain/decisions/hold-session.js";
import type { Known } from "../../domain/decisions/hold-session.js";
import type { LeasedSession } from "../../domain/decisions/lease-tokens.js";
import type { NotWritten } from "../ports/not-written.js";
import { StoreUnwritable } from "../ports/store-health.js";
import type { UsagePorts } from "./usage.js";

export interface HeldOrSeen extends Known {
  /** What its asker was leased of it, where it asked for that. */
  readonly leased?: LeasedSession | undefined;
  /** Why it is not held though it may be live. */
  readonly failure?: NotWritten;
}

/** The log becomes another one by a restart or a failover of the store: more of them in one call, and nothing is certain. */
const MAX_LOGS = 4;

/**
 * Each session as `hold` gives it, in their order, or as it is now where the log has gone on since. Where the store has
 * another log by then, it is held anew: what it was held by may be lost with the former log.
 * @throws StoreUnwritable where log after log becomes another one
 */
export async function ofOneLog<Asked extends { readonly id: string }>(
  { store, usage }: Pick<UsagePorts, "store" | "usage">,
  sessions: readonly Asked[],
  hold: (asked: Asked) => Promise<HeldOrSeen>,
): Promise<readonly HeldOrSeen[]> {
  let held = await Promise.all(sessions.map(async (asked) => ({ asked, one: await hold(asked) })));
  for (let logs = 0; logs < MAX_LOGS; logs++) {
    // While the commits were under way edges may have received invalidations, and take no answer from before them.
    const { log, cursor } = await store.position();
    const look = async (asked: Asked, one: HeldOrSeen): Promise<HeldOrSeen> => {
      if (one.position.log !== log) return hold(asked);
      return cursor > one.position.cursor ? { ...one, ...knownOf(await usage.look(asked.id)) } : one;
    };
    held = await Promise.all(held.map(async ({ asked, one }) => ({ asked, one: await look(asked, one) })));
    if (held.every(({ one }) => one.position.log === log)) return held.map(({ one }) => one);
  }
  throw new StoreUnwritable("the store's log became another one again and again");
}
