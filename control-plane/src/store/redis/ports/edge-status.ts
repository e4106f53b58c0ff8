// What edges' instances last said, to which of the processes that share the store.
import type {
  EdgeCursor,
  EdgeStatus,
  EdgeStatusStore,
  SharedStatuses,
  StatusChange,
  StatusChanges,
} from "../../../app/ports/edge-status-ports.js";
import { instanceKey } from "../../../domain/stored.js";
import type { Instance } from "../../../domain/stored.js";
import { INSTANCE_CHARS } from "../../../../../assembly/contract.js";
import type { Reply } from "../connection/client.js";
import { KEYS, keyOf } from "../keys.js";
import { pairsIn, strings } from "../reading/reads.js";
import type { Reads } from "../reading/reads.js";
import { CHANGED_STATUSES, FORGET_STATUSES, NOTE_STATUSES } from "../status-scripts.js";
import type { Commits } from "../writing/commits.js";

export class RedisEdgeStatus implements EdgeStatusStore {
  readonly shared: SharedStatuses;

  /** @param process names this process among all there ever were */
  constructor(
    private readonly reads: Reads,
    private readonly commits: Commits,
    private readonly process: string,
  ) {
    this.shared = {
      process,
      changedAfter: (mark, limit) => this.changedAfter(mark, limit),
      noteCursors: (cursors) => this.noteCursors(cursors),
      beat: (atMs, ended) => this.beat(atMs, ended),
      forget: (one) => this.forget(one),
    };
  }

  async all(): Promise<readonly EdgeStatus[]> {
    const stored = strings(await this.reads.command(["HVALS", keyOf.edges(this.process)]));
    return stored.map((one) => JSON.parse(one) as EdgeStatus);
  }

  async write(changed: readonly EdgeStatus[], gone: readonly Instance[]): Promise<void> {
    await this.note([
      ...gone.map((one) => ["g", instanceKey(one), ""]),
      ...changed.map((status) => ["s", instanceKey(status), JSON.stringify(status)]),
    ]);
  }

  private async noteCursors(cursors: readonly EdgeCursor[]): Promise<void> {
    await this.note(cursors.map((cursor) => ["c", instanceKey(cursor), `${cursor.log} ${cursor.since}`]));
  }

  private async note(notes: readonly (readonly string[])[]): Promise<void> {
    if (notes.length === 0) return;
    const keys = [...keysOf(this.process), KEYS.edgesAt, KEYS.edgesGone];
    await this.commits.guarded(NOTE_STATUSES, [this.process, String(notes.length), ...notes.flat()], keys);
  }

  private async beat(atMs: number, ended: boolean): Promise<void> {
    await this.commits.run([], [["HSET", KEYS.beats, this.process, `${atMs} ${ended ? 1 : 0}`]], "taken");
  }

  private async forget(process: string): Promise<void> {
    const keys = [...keysOf(process), KEYS.edgesAt, KEYS.edgesGone, KEYS.beats];
    await this.commits.guarded(FORGET_STATUSES, [process], keys);
  }

  private async changedAfter(mark: number, limit: number): Promise<StatusChanges> {
    const reply = await this.reads.script(CHANGED_STATUSES, [this.process, String(mark), String(limit)]);
    const [to, isAll, changes, beats] = reply as readonly Reply[];
    return {
      mark: Number(to),
      isAll: isAll === 1,
      changes: (changes as readonly (readonly string[])[]).map(changeIn),
      processes: pairsIn(strings(beats)).map(([process, beat]) => {
        const [atMs, ended] = beat.split(" ");
        return { process, atMs: Number(atMs), ended: ended === "1" };
      }),
    };
  }
}

const keysOf = (process: string): readonly string[] => [keyOf.edges(process), keyOf.cursors(process)];

function changeIn([kind, process = "", key = "", value = ""]: readonly string[]): StatusChange {
  const instance = { edge: key.slice(INSTANCE_CHARS), instance: key.slice(0, INSTANCE_CHARS) };
  if (kind === "g") return { process, kind: "gone", instance };
  if (kind === "s") return { process, kind: "status", status: JSON.parse(value) as EdgeStatus };
  const [log = "", since] = value.split(" ");
  return { process, kind: "cursor", cursor: { ...instance, log, since: Number(since) } };
}
