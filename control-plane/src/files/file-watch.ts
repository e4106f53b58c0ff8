// Files that others replace while the process runs: read again and again, and announced once they have changed and rest.
import type { Timers } from "../app/ports/log-ports.js";

export interface WatchTimes {
  /** A look this often, whatever the file system announces. */
  readonly pollMs: number;
  /** What changed must have rested this long: many editors empty a file and then fill it, a key follows its certificate. */
  readonly restMs: number;
}

export interface FileWatchParts {
  /** Differs whenever something else stands there; what is missing has one too. Never rejects. */
  readonly fingerprint: () => string | Promise<string>;
  readonly times: WatchTimes;
  readonly timers: Timers;
}

type OnChange = () => boolean | Promise<boolean>;

export class FileWatch {
  private onChange: OnChange = () => true;
  private previous: string | null = null;
  private cancel: () => void = () => undefined;
  private stopped = false;
  /** A look is under way or due soon, and will see what an announcement is about. */
  private alert = false;

  /** @param known the fingerprint of what was read last; null where it is to be read again */
  constructor(
    private readonly parts: FileWatchParts,
    private known: string | null,
  ) {}

  /** To be called just before a reading: what stands there now is no change any more. Resolves with its fingerprint. */
  async note(): Promise<string> {
    const seen = await this.parts.fingerprint();
    this.known = seen;
    return seen;
  }

  /** What was noted could not be read: it counts as a change at the next look too. */
  forget(): void {
    this.known = null;
  }

  /** What was read is to be read again, changed or not. */
  forget(): void {
    this.known = null;
  }

  /** Calls `onChange` after each change, never twice at a time; again a little later where that answers false. */
  start(onChange: OnChange): void {
    this.onChange = onChange;
    this.lookIn(this.parts.times.pollMs);
  }

  /** The file system says that something changed there. */
  announced(): void {
    if (this.alert) return;
    this.alert = true;
    this.lookIn(0);
  }

  stop(): void {
    this.stopped = true;
    this.cancel();
  }

  private lookIn(ms: number): void {
    if (this.stopped) return;
    this.cancel();
    this.cancel = this.parts.timers.after(ms, () => {
      void this.look().then((nextMs) => {
        this.lookIn(nextMs);
      });
    });
  }

  /** Answers after how many ms to look again. */
  private async look(): Promise<number> {
    const { fingerprint, times } = this.parts;
    this.alert = true;
    const seen = await fingerprint();
    const changed = seen !== this.known;
    const rested = seen === this.previous;
    this.previous = seen;
    if (changed && !rested) return times.restMs;
    if (changed) {
      this.known = seen;
      if (!(await this.onChange())) this.forget();
    }
    this.alert = false;
    return times.pollMs;
  }
}
