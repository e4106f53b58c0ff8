// Which other processes over the same store are there, by their beats. No clock but this process's is asked.
import type { ProcessBeat } from "../../ports/edge-status-ports.js";
import { WORKER_KEPT_MS } from "../status/workers.js";

/** A process that is there beats each few seconds. */
export const BEAT_EACH_MS = 5_000;
/** One whose last beat was seen longer ago is not there any more. */
export const THERE_FOR_MS = 35_000;
/** What a process has stored is of no use any more: no worker counts for so long that reported to it last. */
const FORGOTTEN_AFTER_MS = WORKER_KEPT_MS;

interface Seen {
  readonly beat: ProcessBeat;
  /** When this beat was first seen, monotonic ms. */
  readonly atMs: number;
  readonly isThere: boolean;
}

/** What has become of other processes since the last look. */
export interface BeatsNews {
  /** With when each was last seen to be there, monotonic ms. */
  readonly ended: readonly { readonly process: string; readonly untilMs: number }[];
  /** They are listed no more. */
  readonly forgotten: readonly string[];
}

export class ProcessBeats {
  private readonly seen = new Map<string, Seen>();

  /** Others that are there. */
  count(): number {
    return [...this.seen.values()].filter(({ isThere }) => isThere).length;
  }

  isThere(process: string): boolean {
    return this.seen.get(process)?.isThere === true;
  }

  /**
   * @param beats as they are stored now, of other processes
   * @param nowMs monotonic
   * @param wallMs one whose beat is far older by it when it is seen first has ended before
   */
  note(beats: readonly ProcessBeat[], nowMs: number, wallMs: number): BeatsNews {
    const listed = new Set(beats.map(({ process }) => process));
    const forgotten = [...this.seen.keys()].filter((process) => !listed.has(process));
    for (const process of forgotten) this.seen.delete(process);
    for (const beat of beats) {
      const before = this.seen.get(beat.process);
      if (before?.beat.atMs === beat.atMs && before.beat.ended === beat.ended) continue;
      const isOld = before === undefined && wallMs - beat.atMs > THERE_FOR_MS;
      // It stays as it was seen before: that it has ended is found below.
      this.seen.set(beat.process, { beat, atMs: nowMs, isThere: before?.isThere === true || !(beat.ended || isOld) });
    }
    return { ended: this.age(nowMs), forgotten };
  }

  /** Those that are found to be there no more. Also to be asked while the store cannot be read. */
  age(nowMs: number): BeatsNews["ended"] {
    const ended: { process: string; untilMs: number }[] = [];
    for (const [process, { beat, atMs, isThere }] of this.seen) {
      if (!isThere || (!beat.ended && nowMs - atMs < THERE_FOR_MS)) continue;
      this.seen.set(process, { beat, atMs, isThere: false });
      ended.push({ process, untilMs: atMs });
    }
    return ended;
  }

  /** Those whose rows may go: by the store's stamps they ended long ago, and this process has not seen them since. */
  toForget(nowMs: number, wallMs: number): string[] {
    return [...this.seen]
      .filter(([, { beat, atMs, isThere }]) => {
        return !isThere && nowMs - atMs >= THERE_FOR_MS && wallMs - beat.atMs >= FORGOTTEN_AFTER_MS;
      })
      .map(([process]) => process);
  }
}
