// The store's part for operators and login services: lists, and keys of creations that are forgotten.
import type { OperatorStore, SessionIndex } from "../../../app/ports/operator-ports.js";
import type { Session } from "../../../domain/session.js";
import { activeSession } from "../../../domain/stored.js";
import { KEYS, keyOf } from "../keys.js";
import { LEX, lists, RECORDS_OF, strings } from "../reading/reads.js";
import type { Reads } from "../reading/reads.js";
import { storedSession } from "../reading/stored-session.js";
import type { Commits } from "../writing/commits.js";

/** Sessions with their rows in one script: some milliseconds of the server. */
const A_READING = 100;

export class RedisOperatorStore implements OperatorStore {
  constructor(
    private readonly reads: Reads,
    private readonly commits: Commits,
  ) {}

  async hasIssued(issuer: string, sessionId: string): Promise<boolean> {
    return (await this.reads.command(["ZSCORE", keyOf.issuer(issuer), sessionId])) !== null;
  }

  async sessionsBefore(index: SessionIndex, before: string | undefined, limit: number): Promise<Session[]> {
    const sessions: Session[] = [];
    let end = before;
    for (let left = limit; left > 0; left -= A_READING) {
      const asked = Math.min(left, A_READING);
      const high = end === undefined ? LEX.last : LEX.before(end);
      const range = [indexKey(index), LEX.first, high, String(asked), "down"];
      const { answers } = await this.reads.run([["ids", ...range], RECORDS_OF]);
      const [ids, hashes] = [strings(answers[0]), lists(answers[1])];
      for (const [i, id] of ids.entries()) {
        const found = storedSession(id, hashes[i] ?? []);
        if (found !== undefined) sessions.push(activeSession(found.record));
      }
      if (ids.length < asked) break;
      end = ids.at(-1);
    }
    return sessions;
  }

  async forgetCreationKeys(beforeMs: number, limit: number): Promise<number> {
    const range = [KEYS.createdAt, "-inf", `(${beforeMs}`, "BYSCORE", "LIMIT", "0", String(limit)];
    const due = strings(await this.reads.command(["ZRANGE", ...range]));
    if (due.length > 0)
      await this.commits.run([], [["DUE", String(beforeMs), String(due.length), "Infinity"]], "taken");
    return due.length;
  }
}

function indexKey(index: SessionIndex): string {
  switch (index.by) {
    case "user":
      return keyOf.user(index.userId);
    case "org":
      return keyOf.org(index.orgId);
    case "issuer":
      return index.userId === undefined ? keyOf.issuer(index.issuer) : keyOf.issuerAndUser(index.issuer, index.userId);
    case "plan":
      return keyOf.plan(index.planId);
    case "creation":
      return KEYS.sessions;
  }
}
