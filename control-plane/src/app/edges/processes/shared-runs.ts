// Work that many ask for at once: one run at a time, and all who ask before it begins share it.

export class SharedRuns {
  private next: Promise<void> | undefined;
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly run: () => Promise<void>) {}

  /** Settles as the first run that begins after this call does. */
  ask(): Promise<void> {
    this.next ??= this.runAfter(this.last);
    return this.next;
  }

  private async runAfter(last: Promise<void>): Promise<void> {
    await last.catch(() => undefined);
    this.next = undefined;
    this.last = this.run();
    await this.last;
  }
}
