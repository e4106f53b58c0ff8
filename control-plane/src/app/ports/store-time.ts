// The time of a store that several control planes share.

/**
 * Control planes on machines whose clocks differ decide by the clock of the store that they share. An engine of one
 * process has none: there the machine's clock is the only one.
 */
export interface StoreTime {
  /**
   * What the store's wall clock says, ms since the epoch, perhaps with a fraction. Asked once a second: one short
   * round trip, since half of how long it took is what nobody knows of the answer. It may jump, and be that of another
   * machine after a failover.
   * @throws where the store cannot be asked
   */
  timeMs(): Promise<number>;
}
