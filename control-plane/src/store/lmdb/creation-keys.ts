// The keys of repeatable creations: kept for a time, bounded in number. Each is called inside `commits.run`.
import type { CreationKey } from "../../domain/stored.js";
import { DROPPED_WITH_EACH, MAX_CREATION_KEYS } from "../bounds.js";
import type { LmdbLayout } from "./layout.js";

export function keepCreationKey(db: LmdbLayout, key: string, made: CreationKey, keptSinceMs: number): void {
  const old = db.creationKeys.get(key);
  if (old !== undefined) drop(db, key, old.atMs);
  dropCreationKeys(db, keptSinceMs, DROPPED_WITH_EACH);
  const [first] = db.creationKeysByTime.getKeys({ limit: 1 });
  if (first !== undefined && count(db) >= MAX_CREATION_KEYS) drop(db, first[1], first[0]);
  putCreationKey(db, key, made);
}

/** Writes one that is not there, or is there as it is. */
export function putCreationKey(db: LmdbLayout, key: string, made: CreationKey): void {
  if (db.creationKeys.get(key) === undefined) void db.meta.put("creationKeys", count(db) + 1);
  void db.creationKeys.put(key, made);
  void db.creationKeysByTime.put([made.atMs, key], true);
}

/** Drops at most `limit` that are older, and answers how many. */
export function dropCreationKeys(db: LmdbLayout, beforeMs: number, limit: number): number {
  const due = [...db.creationKeysByTime.getKeys({ end: [beforeMs, ""], limit })];
  for (const [atMs, key] of due) drop(db, key, atMs);
  return due.length;
}

function drop(db: LmdbLayout, key: string, atMs: number): void {
  void db.creationKeysByTime.remove([atMs, key]);
  void db.creationKeys.remove(key);
  void db.meta.put("creationKeys", count(db) - 1);
}

const count = (db: LmdbLayout): number => (db.meta.get("creationKeys") as number | undefined) ?? 0;
