// What is stored of edges' instances, so that another process over the same store knows who is there.
import type { Instance } from "../../domain/stored.js";
import type { ReceivedPolicy, WorkerPolicy } from "./edge-ports.js";
import type { WatchRequest } from "./watch-ports.js";

/** What an instance's last watch said, without what time it was. */
export interface WatchSaid extends Omit<WatchRequest, keyof Instance | "policy" | "address" | "wallMs"> {
  /** Undefined also where an older version has stored it. */
  readonly address?: string | undefined;
  readonly policy: PolicySaid | undefined;
}

/** The violations are part of it only where other processes read them: after a start the edge repeats them. */
export type PolicySaid = Omit<ReceivedPolicy, "violations"> & Partial<Pick<ReceivedPolicy, "violations">>;

/** What one worker's reports have said to one process. Times are ms since the epoch. */
export interface WorkerStored {
  readonly worker: string;
  readonly firstReportAtMs: number;
  readonly reportedAtMs: number;
  /** When a report last said that there was more. */
  readonly moreAtMs?: number | undefined;
  readonly build?: string | undefined;
  readonly runs?: WorkerPolicy | undefined;
  readonly runsSinceMs: number;
}

/** What is stored of an instance only where other processes read it. Times are ms since the epoch. */
export interface StatusDetail {
  /** When this was written down: how old the rest was then is right whatever the reader's clock shows. */
  readonly writtenAtMs: number;
  /** When its last watch said what it said. Undefined: it has not watched yet. */
  readonly watchedAtMs?: number | undefined;
  /** When the run of its watches was last seen to go on. Undefined: it has not watched yet. */
  readonly watchedUntilMs?: number | undefined;
  /** Where its watches came from. */
  readonly addresses: readonly string[];
  /** Of its clock: by how much it is ahead, since when it has been far off, and whether that is sure. */
  readonly clock?:
    { readonly offsetMs: number; readonly farSinceMs?: number | undefined; readonly isOff: boolean } | undefined;
  /** The one that reported last is the last. */
  readonly workers: readonly WorkerStored[];
  /** The most workers that were there for sure at a time. */
  readonly expectedWorkers: number;
}

/**
 * An instance as one process knew it at first hand some time ago: a change of its state is written within a second or so,
 * everything else each half minute; where other processes read it, each few seconds. Times are ms since the epoch.
 */
export interface EdgeStatus extends Instance {
  readonly firstContactAtMs: number;
  readonly lastContactAtMs: number;
  readonly watching: boolean;
  /** Since when it has watched without a longer break. Undefined: it never has, or an older version has stored it. */
  readonly watchingSinceMs?: number | undefined;
  /** Undefined: it has not watched yet. */
  readonly lastWatch: WatchSaid | undefined;
  /** Undefined: no other process reads it. */
  readonly detail?: StatusDetail | undefined;
}

export interface EdgeStatusStore {
  /**
   * All that this process has stored, in any order. One that has the store alone finds what the processes before it have
   * stored; one of several finds nothing at its start.
   */
  all(): Promise<readonly EdgeStatus[]>;
  /** One transaction: each status takes the place of this process's one before of the same instance. */
  write(changed: readonly EdgeStatus[], gone: readonly Instance[]): Promise<void>;
  /** Undefined: this process has the store alone. */
  readonly shared?: SharedStatuses | undefined;
}

/** The statuses of several processes over one store. Each writes its own, under its name, and reads the others'. */
export interface SharedStatuses {
  /** This process's name: no other has it, nor had. */
  readonly process: string;
  /**
   * What other processes have written after a mark, in the order of their writes. Whatever is written gets the next mark.
   * @param mark 0: all there is. One that the store has not come to yet counts as 0, for the store was set back.
   * @param limit of changes
   */
  changedAfter(mark: number, limit: number): Promise<StatusChanges>;
  /** Quick: the cursors alone, of instances of which a status is stored or will be. One transaction. */
  noteCursors(cursors: readonly EdgeCursor[]): Promise<void>;
  /**
   * That this process is there. It does so each few seconds.
   * @param atMs ms since the epoch
   * @param ended it is there no more from now on; what it has written stays
   */
  beat(atMs: number, ended: boolean): Promise<void>;
  /** Removes all that a process has written, and its beat. Its changes are not listed: it is no longer among `processes`. */
  forget(process: string): Promise<void>;
}

/** Up to where an instance's table is marked. */
export interface EdgeCursor extends Instance {
  readonly log: string;
  readonly since: number;
}

export type StatusChange = { readonly process: string } & (
  | { readonly kind: "status"; readonly status: EdgeStatus }
  | { readonly kind: "cursor"; readonly cursor: EdgeCursor }
  /** Its process has removed it. The latest thousand are kept: a reader takes the others to be gone by their age. */
  | { readonly kind: "gone"; readonly instance: Instance }
);

export interface StatusChanges {
  /** Of the last change here, or the one that was asked about: for the next reading. */
  readonly mark: number;
  /** False: there are more, after this mark. */
  readonly isAll: boolean;
  /** The oldest first. Of a status, or a cursor, that was written several times only the last. */
  readonly changes: readonly StatusChange[];
  /** All that have beaten, this one too, and are not forgotten. */
  readonly processes: readonly ProcessBeat[];
}

export interface ProcessBeat {
  readonly process: string;
  /** Of its last beat, ms since the epoch by its clock. */
  readonly atMs: number;
  readonly ended: boolean;
}
