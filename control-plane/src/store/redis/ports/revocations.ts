// Revocations of all sessions of a user or an organisation.
import type { BulkRevocationStore } from "../../../app/ports/revocation-ports.js";
import { sessionIdFloor } from "../../../domain/session-id.js";
import { shownRevocation } from "../../../domain/stored.js";
import type { BulkRevocation, StoredRevocation } from "../../../domain/stored.js";
import { KEYS } from "../keys.js";
import { strings } from "../reading/reads.js";
import type { Reads } from "../reading/reads.js";
import type { Commits } from "../writing/commits.js";
import { positionIn } from "./stored-position.js";

export class RedisRevocations implements BulkRevocationStore {
  constructor(
    private readonly reads: Reads,
    private readonly commits: Commits,
  ) {}

  async find(id: string): Promise<BulkRevocation | undefined> {
    const { answers } = await this.reads.run([
      ["fields", KEYS.revocations, "1", id],
      ["fields", KEYS.revoked, "1", id],
    ]);
    const [stored, position] = [strings(answers[0])[1], positionIn(strings(answers[1])[1])];
    return stored === undefined
      ? undefined
      : shownRevocation({ ...(JSON.parse(stored) as StoredRevocation), ...position });
  }

  /** Looked for each few seconds: of a day's operations those that go on are few. */
  async unfinished(): Promise<string[]> {
    return [...strings(await this.reads.command(["SMEMBERS", KEYS.unfinished]))].sort();
  }

  async forgetFinished(beforeMs: number, limit: number): Promise<number> {
    const [all, unfinished] = await Promise.all([this.reads.command(["HKEYS", KEYS.revocations]), this.unfinished()]);
    const floor = sessionIdFloor(beforeMs);
    const old = [...strings(all)].filter((id) => id < floor && !unfinished.includes(id));
    const ids = old.sort().slice(0, limit);
    if (ids.length === 0) return 0;
    await this.commits.run(
      [],
      [
        ["HDEL", KEYS.revocations, ...ids],
        ["HDEL", KEYS.revoked, ...ids],
      ],
      "taken",
    );
    return ids.length;
  }
}
