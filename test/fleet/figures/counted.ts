// Counters of processes that may be killed: what each had counted in its former lives is kept.

export class Counted {
  private readonly seen = new Map<string, number>();
  private sum = 0;

  get total(): number {
    return this.sum;
  }

  /** @param counter of one process @param value as it says now: less than before in a new life, which began at 0 */
  saw(counter: string, value: number): void {
    const before = this.seen.get(counter) ?? 0;
    this.sum += value >= before ? value - before : value;
    this.seen.set(counter, value);
  }
}
