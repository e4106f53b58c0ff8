// Reads for a decision: each names what it looked at, and what a commit is to find there still.
import type { Session } from "../../../domain/session.js";
import type { SessionRecord } from "../../../domain/stored.js";
import { keyOf } from "../keys.js";
import type { Check } from "../writing/commits.js";
import { storedSession } from "./stored-session.js";

/** What was looked at, by name; checks are made of it (`checksOf`). */
export type Seen = Map<string, string>;

const nameOf = (kind: Check[0], key: string, field: string): string => `${kind}\0${key}\0${field}`;

export const note = (seen: Seen, [kind, key, field, expected]: Check): void => {
  seen.set(nameOf(kind, key, field), expected);
};

export const checksOf = (seen: ReadonlyMap<string, string | number>): Check[] =>
  [...seen].map(([name, expected]) => {
    const [kind = "", key = "", field = ""] = name.split("\0");
    return [kind as Check[0], key, field, String(expected)];
  });

/** Of a session's hash, as it was seen; undefined where it was not looked for. */
export function versionIn(seen: ReadonlyMap<string, string | number>, key: string): string | undefined {
  const version = seen.get(nameOf("v", key, ""));
  return version === undefined ? undefined : String(version);
}

/** A session that was looked for, whether it is there or not. */
export function seenSession(seen: Seen, id: string, hash: readonly string[]): SessionRecord | undefined {
  const found = storedSession(id, hash);
  note(seen, ["v", keyOf.session(id), "", found?.version ?? ""]);
  return found?.record;
}

/** Of a page: sessions that an index names and that are gone meanwhile are left out. */
export function seenSessions(
  seen: Seen,
  ids: readonly string[],
  hashes: readonly (readonly string[])[],
): SessionRecord[] {
  return ids.map((id, i) => seenSession(seen, id, hashes[i] ?? [])).filter((one) => one !== undefined);
}

export const sessionOf = ({ session }: SessionRecord): Session => session;
