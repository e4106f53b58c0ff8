// What edges' instances last said to each of several processes, in maps, for tests.
import type { Instance } from "../../domain/stored.js";
import { instanceKey } from "../../domain/stored.js";
import type {
  EdgeCursor,
  EdgeStatus,
  EdgeStatusStore,
  ProcessBeat,
  SharedStatuses,
  StatusChange,
  StatusChanges,
} from "../../app/ports/edge-status-ports.js";

/** More than a reader misses between two looks; past it the oldest are forgotten. */
const GONE_KEPT = 1_000;

/** What all processes share. */
export class MemoryStatuses {
  /** By what they are of, the newest last; with the mark of each. */
  private readonly changes = new Map<string, { readonly mark: number; readonly change: StatusChange }>();
  private readonly beats = new Map<string, ProcessBeat>();
  private newest = 0;

  /** As a process of this name sees it. */
  of(process: string): EdgeStatusStore {
    return new MemoryStatusesOf(this, process);
  }

  put(change: StatusChange): void {
    const key = keyOf(change);
    this.changes.delete(key);
    this.changes.set(key, { mark: (this.newest += 1), change });
    if (change.kind !== "gone") return;
    this.changes.delete(keyOf({ process: change.process, kind: "cursor", instance: change.instance }));
    const gone = [...this.changes].filter(([, { change: one }]) => one.kind === "gone");
    for (const [oldest] of gone.slice(0, -GONE_KEPT)) this.changes.delete(oldest);
  }

  beat(beat: ProcessBeat): void {
    this.beats.set(beat.process, beat);
  }

  forget(process: string): void {
    this.beats.delete(process);
    for (const [key, { change }] of this.changes) if (change.process === process) this.changes.delete(key);
  }

  statuses(process: string): EdgeStatus[] {
    return [...this.changes.values()].flatMap(({ change }) =>
      change.kind === "status" && change.process === process ? [change.status] : [],
    );
  }

  after(asked: number, limit: number, reader: string): StatusChanges {
    const mark = asked > this.newest ? 0 : asked;
    const newer = [...this.changes.values()].filter((one) => one.mark > mark);
    const page = newer.slice(0, limit);
    const isAll = page.length === newer.length;
    return {
      mark: isAll ? this.newest : (page.at(-1)?.mark ?? mark),
      isAll,
      changes: page.map(({ change }) => change).filter(({ process }) => process !== reader),
      processes: [...this.beats.values()],
    };
  }

  /** As where a copy takes the store's place that lacks what was written since. */
  setBack(): void {
    this.changes.clear();
    this.beats.clear();
    this.newest = 0;
  }
}

class MemoryStatusesOf implements EdgeStatusStore {
  readonly shared: SharedStatuses;

  constructor(
    private readonly statuses: MemoryStatuses,
    private readonly process: string,
  ) {
    this.shared = {
      process,
      changedAfter: (mark, limit) => Promise.resolve(statuses.after(mark, limit, process)),
      noteCursors: (cursors) => this.noteCursors(cursors),
      beat: (atMs, ended) => {
        statuses.beat({ process, atMs, ended });
        return Promise.resolve();
      },
      forget: (other) => {
        statuses.forget(other);
        return Promise.resolve();
      },
    };
  }

  all(): Promise<readonly EdgeStatus[]> {
    return Promise.resolve(this.statuses.statuses(this.process));
  }

  write(changed: readonly EdgeStatus[], gone: readonly Instance[]): Promise<void> {
    const { statuses, process } = this;
    for (const { edge, instance } of gone) statuses.put({ process, kind: "gone", instance: { edge, instance } });
    for (const status of changed) statuses.put({ process, kind: "status", status });
    return Promise.resolve();
  }

  private noteCursors(cursors: readonly EdgeCursor[]): Promise<void> {
    for (const cursor of cursors) this.statuses.put({ process: this.process, kind: "cursor", cursor });
    return Promise.resolve();
  }
}

type Keyed = { readonly process: string } & (
  | { readonly kind: "status"; readonly status: Instance }
  | { readonly kind: "cursor"; readonly cursor: Instance }
  | { readonly kind: "cursor" | "gone"; readonly instance: Instance }
);

/** That it is gone takes the place of its status, and the other way round. */
function keyOf(change: Keyed): string {
  const of = "instance" in change ? change.instance : change.kind === "status" ? change.status : change.cursor;
  return JSON.stringify([change.process, change.kind === "cursor", instanceKey(of)]);
}
