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

  async unfinished(): Promise<string[]> {
    const all = await this.all();
    return all.filter(({ finishedAt }) => finishedAt === null).map(({ id }) => id);
  }

  async forgetFinished(beforeMs: number, limit: number): Promise<number> {
    const floor = sessionIdFloor(beforeMs);
    const old = (await this.all()).filter(({ id, finishedAt }) => id < floor && finishedAt !== null).slice(0, limit);
    const ids = old.map(({ id }) => id);
    if (ids.length === 0) return 0;
    await this.commits.run(
      [],
      [
        ["HDEL", KEYS.revocations, ...ids],
        ["HDEL", KEYS.revoked, ...ids],
      ],
    );
    return ids.length;
  }

  /** In the order in which they were asked for. A day's: as many as operators ask for. */
  private async all(): Promise<StoredRevocation[]> {
    const stored = strings(await this.reads.command(["HVALS", KEYS.revocations]));
    return stored.map((one) => JSON.parse(one) as StoredRevocation).sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}
