// What has been started, so that it can be stopped in order.

/** Undoes, in reverse, what has been started. */
export class Started {
  private readonly undo: (() => Promise<void> | void)[] = [];

  add(undo: () => Promise<void> | void): void {
    this.undo.push(undo);
  }

  async stop(): Promise<void> {
    for (let undo = this.undo.pop(); undo !== undefined; undo = this.undo.pop()) await undo();
  }
}
