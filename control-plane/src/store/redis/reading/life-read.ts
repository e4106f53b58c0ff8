// The store's present life, as a read of its own beside others of one moment.
import { lifeIn } from "../../../domain/leases/store-life.js";
import type { StoreLife } from "../../../domain/leases/store-life.js";
import type { LogPosition } from "../../../domain/stored.js";
import type { Reply } from "../connection/client.js";
import { KEYS } from "../keys.js";
import { BEGAN, FLEET_TIME } from "../scripts.js";
import { note } from "./named-reads.js";
import type { Seen } from "./named-reads.js";
import { pairsIn, strings } from "./reads.js";
import type { Read } from "./reads.js";

export const LIFE: Read = ["fields", KEYS.meta, "2", FLEET_TIME, BEGAN];

/** @param reply to LIFE */
export function lifeOf({ log }: LogPosition, reply: Reply | undefined): StoreLife {
  const fields = new Map(pairsIn(strings(reply)));
  return lifeIn(fields.get(BEGAN), log, Number(fields.get(FLEET_TIME) ?? 0));
}

/** A decision on the life counts in that one alone: in the next one a session may have the version of before again, and not the budget. */
export function seenLife(seen: Seen, position: LogPosition, reply: Reply | undefined): StoreLife {
  note(seen, ["field", KEYS.meta, "log", position.log]);
  return lifeOf(position, reply);
}
