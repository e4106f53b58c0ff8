// The keys of repeatable creations: kept for a time, bounded in number.
import type { Changes } from "../../../domain/changes.js";
import { KEYS } from "../keys.js";
import type { Operation } from "./commits.js";

/** At about 400 bytes each, 400 MB at the most. Past it the oldest go before their time. */
const MAX_CREATION_KEYS = 1_000_000;
/** Each new key takes along so many that are due, so keys go as fast as they come. */
const DROPPED_WITH_EACH = 2;

export function creationKeyOperations({ key, keptSinceMs, ...made }: NonNullable<Changes["creationKey"]>): Operation[] {
  return [
    ["DUE", String(keptSinceMs), String(DROPPED_WITH_EACH), String(MAX_CREATION_KEYS)],
    ["HSET", KEYS.created, key, JSON.stringify(made)],
    ["ZADD", KEYS.createdAt, String(made.atMs), key],
  ];
}
