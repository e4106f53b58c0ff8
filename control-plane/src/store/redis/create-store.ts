// Makes an empty Redis or Valkey a store of this program: an operator's word, for one that lost its data is as empty.
import type { Timers } from "../../app/ports/log-ports.js";
import type { Random } from "../../app/ports/ports.js";
import { connectLife } from "./connection/life.js";
import { newLogId } from "../log-id.js";
import { REDIS_SCHEMA } from "./connection/store-name.js";
import type { RedisAddress } from "../store-address.js";
import { KEYS } from "./keys.js";
import { CREATE } from "./scripts.js";

/** made: it is one from now on. there: it was one, and stays as it is. copying: a copy into it was begun. */
export type StoreMade = "made" | "there" | "copying";

/** @throws where the server cannot be reached, or takes no write */
export async function createRedisStore(address: RedisAddress, random: Random, timers: Timers): Promise<StoreMade> {
  const life = await connectLife({ address, timers, ended: () => undefined, woken: () => undefined }, 0);
  try {
    const args = [String(REDIS_SCHEMA), newLogId(random), newLogId(random)];
    return (await life.writes.run(CREATE, KEYS.meta, args)) as StoreMade;
  } finally {
    life.end();
  }
}
