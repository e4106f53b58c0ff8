// Answers of one call are all of one log of the store: an edge follows one, and takes no answer of another.
import { knownOf } from "../../domain/decisions/hold-session.js";
import type { Known } from "../../domain/decisions/hold-session.js";
import type { NotWritten } from "../ports/not-written.js";
import { StoreUnwritable } from "../ports/store-health.js";
import type { UsagePorts } from "./usage.js";

export interface HeldOrSeen extends Known {
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
export async function ofOneLog(
  { store, usage }: Pick<UsagePorts, "store" | "usage">,
  ids: readonly string[],
  hold: (id: string) => Promise<HeldOrSeen>,
): Promise<readonly HeldOrSeen[]> {
  let held = await Promise.all(ids.map(async (id) => ({ id, one: await hold(id) })));
  for (let logs = 0; logs < MAX_LOGS; logs++) {
    // While the commits were under way edges may have received invalidations, and take no answer from before them.
    const { log, cursor } = await store.position();
    const look = async (id: string, one: HeldOrSeen): Promise<HeldOrSeen> => {
      if (one.position.log !== log) return hold(id);
      return cursor > one.position.cursor ? { ...one, ...knownOf(await usage.look(id)) } : one;
    };
    held = await Promise.all(held.map(async ({ id, one }) => ({ id, one: await look(id, one) })));
    if (held.every(({ one }) => one.position.log === log)) return held.map(({ one }) => one);
  }
  throw new StoreUnwritable("the store's log became another one again and again");
}
