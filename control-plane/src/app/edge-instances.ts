// Which instances of edges there are, as heard by this process: who is up to date, who is behind, who is gone.
import type { Clock } from "./ports.js";
import type { Instance } from "./usage-ports.js";

/** Silent for so long and not watching, an instance is gone (docs/edge-protocol.md). */
export const GONE_AFTER_MS = 300_000;
/** About 200 bytes each. More than any installation has; past it those silent for longest are taken to be gone. */
const MAX_INSTANCES = 65_536;

/** current: all it spent until a grace ago is known. behind: it may have admitted requests that are not known of. */
export type Standing = "current" | "behind" | "gone";

/** Times are monotonic ms; undefined: never. */
interface Heard {
  readonly of: Instance;
  readonly heardAtMs: number;
  readonly reportedAtMs: number | undefined;
  /** When a report last said that there was more. */
  readonly moreAtMs: number | undefined;
  readonly watches: number;
}

export interface KnownInstance extends Instance {
  /** ms since the last sign of life. */
  readonly silentMs: number;
  /** ms since its last report, null if there was none. */
  readonly reportAgeMs: number | null;
  readonly watching: boolean;
}

export class EdgeInstances {
  /** The one heard of last is the last. */
  private readonly heard = new Map<string, Heard>();
  private readonly startedAtMs: number;

  constructor(private readonly clock: Clock) {
    this.startedAtMs = clock.monotonicMs();
  }

  /** How long this process has been listening: what happened before, it cannot know by itself. */
  listeningMs(): number {
    return this.clock.monotonicMs() - this.startedAtMs;
  }

  acquired(instance: Instance): void {
    this.hear(instance, {});
  }

  /** To be called once the report is durable. @param arrivedAtMs monotonic: it tells nothing of what came after */
  reported(instance: Instance, more: boolean, arrivedAtMs: number): void {
    const reportedAtMs = Math.max(arrivedAtMs, this.heard.get(keyOf(instance))?.reportedAtMs ?? arrivedAtMs);
    this.hear(instance, more ? { reportedAtMs, moreAtMs: arrivedAtMs } : { reportedAtMs });
  }

  /** A watch of the instance is held from now on. Returns how to say that it is not any more. */
  watching(instance: Instance): () => void {
    this.hear(instance, { watches: this.watchesOf(instance) + 1 });
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.hear(instance, { watches: Math.max(0, this.watchesOf(instance) - 1) });
    };
  }

  /**
   * @param graceMs how old a report may be. What was told by one worker says nothing of the others: an instance that
   * said `more` counts as behind for as long.
   */
  standing(instance: Instance, graceMs: number): Standing {
    const heard = this.heard.get(keyOf(instance));
    // One that was not heard of since the start may have been cut off for as long as the process was down.
    if (heard === undefined) return this.listeningMs() < GONE_AFTER_MS ? "behind" : "gone";
    if (this.isGone(heard)) return "gone";
    const nowMs = this.clock.monotonicMs();
    const { reportedAtMs, moreAtMs } = heard;
    if (reportedAtMs === undefined || nowMs - reportedAtMs > graceMs) return "behind";
    return moreAtMs !== undefined && nowMs - moreAtMs <= graceMs ? "behind" : "current";
  }

  known(): KnownInstance[] {
    const nowMs = this.clock.monotonicMs();
    return [...this.heard.values()].map(({ of, heardAtMs, reportedAtMs, watches }) => ({
      ...of,
      silentMs: nowMs - heardAtMs,
      reportAgeMs: reportedAtMs === undefined ? null : nowMs - reportedAtMs,
      watching: watches > 0,
    }));
  }

  /** Forgets those that are gone: one that is not known is gone too. */
  forgetGone(): void {
    if (this.listeningMs() < GONE_AFTER_MS) return;
    for (const [key, heard] of this.heard) if (this.isGone(heard)) this.heard.delete(key);
  }

  private isGone({ heardAtMs, watches }: Heard): boolean {
    return watches === 0 && this.clock.monotonicMs() - heardAtMs >= GONE_AFTER_MS;
  }

  private watchesOf(instance: Instance): number {
    return this.heard.get(keyOf(instance))?.watches ?? 0;
  }

  private hear(instance: Instance, news: Partial<Pick<Heard, "reportedAtMs" | "moreAtMs" | "watches">>): void {
    const key = keyOf(instance);
    const { edge, instance: id } = instance;
    const before = this.heard.get(key) ?? { reportedAtMs: undefined, moreAtMs: undefined, watches: 0 };
    this.heard.delete(key);
    this.heard.set(key, { ...before, ...news, of: { edge, instance: id }, heardAtMs: this.clock.monotonicMs() });
    if (this.heard.size <= MAX_INSTANCES) return;
    const [silent] = this.heard.keys();
    if (silent !== undefined) this.heard.delete(silent);
  }
}

/** An instance's digits are of one length, so that no two pairs share a key. */
const keyOf = ({ edge, instance }: Instance): string => `${instance}${edge}`;
