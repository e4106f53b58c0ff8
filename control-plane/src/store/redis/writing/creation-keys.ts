// The keys of repeatable creations: kept for a time, bounded in number.
import type { CreationKey } from "../../../domain/stored.js";
import type { Changes } from "../../../domain/changes.js";
import { DROPPED_WITH_EACH, MAX_CREATION_KEYS } from "../../bounds.js";
import { KEYS } from "../keys.js";
import type { Operation } from "./commits.js";

export function creationKeyOperations({ key, keptSinceMs, ...made }: NonNullable<Changes["creationKey"]>): Operation[] {
  return [
    ["DUE", String(keptSinceMs), String(DROPPED_WITH_EACH), String(MAX_CREATION_KEYS)],
    ...keptCreationKey(key, made),
  ];
}

/** The key itself, and its place by time. */
export const keptCreationKey = (key: string, made: CreationKey): Operation[] => [
  ["HSET", KEYS.created, key, JSON.stringify(made)],
  ["ZADD", KEYS.createdAt, String(made.atMs), key],
];
