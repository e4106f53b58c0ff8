// What has been started, so that it can be stopped in order.

/** Undoes, in reverse, what has been started. */
export class Started {
  private readonly undo: (() => Promise<void> | void)[] = [];

  private readonly hanging: (() => boolean)[] = [];

  /** @param isHanging whether an exit in order would wait for a thread, maybe for ever */
  mayHang(isHanging: () => boolean): void {
    this.hanging.push(isHanging);
  }

  isHanging(): boolean {
    return this.hanging.some((isHanging) => isHanging());
  }

  add(undo: () => Promise<void> | void): void {
    this.undo.push(undo);
  }

  async stop(): Promise<void> {
    for (let undo = this.undo.pop(); undo !== undefined; undo = this.undo.pop()) await undo();
  }
}
