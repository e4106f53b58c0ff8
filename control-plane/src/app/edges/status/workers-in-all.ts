// How many workers all instances have together, and whose are forgotten past the bound.

/** At most 360 bytes each, 95 MB. 4,096 Envoys have as many with 64 each. */
export const MAX_WORKERS_IN_ALL = 262_144;

export class WorkersInAll {
  /** By instance; the one that was noted last is the last. Those without workers are left out. */
  private readonly counts = new Map<string, number>();
  private total = 0;

  get count(): number {
    return this.total;
  }

  note(instance: string, workers: number): void {
    this.total += workers - (this.counts.get(instance) ?? 0);
    this.counts.delete(instance);
    if (workers > 0) this.counts.set(instance, workers);
  }

  /** Whose workers must go next, the longest silent first; undefined while they are within the bound. */
  surplus(): string | undefined {
    if (this.total <= MAX_WORKERS_IN_ALL) return undefined;
    const [longest] = this.counts.keys();
    return longest;
  }
}
