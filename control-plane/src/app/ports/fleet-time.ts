// The time by which leases are decided, as the store keeps it (docs/decisions/0084-time-that-only-counts.md).

/** What the store has of the fleet clock. */
export interface FleetReading {
  /** The store's log. A life that lost commits goes on from an earlier time than the one before it had come to. */
  readonly log: string;
  /** ms, a whole number that grows only while a control plane runs: no wall clock has a part in it. */
  readonly ms: number;
}

export interface FleetTime {
  /**
   * 0 in a new store.
   * @throws where the store cannot be asked, as `raise`
   */
  read(): Promise<FleetReading>;
  /**
   * The store's never goes back: the higher one stays. Answers what stands then, which another process may have raised, once
   * it is durable. Where the log is another one, nothing is raised: a time of another life says nothing in this one.
   * @throws RangeError for what is no such time; a part of a ms is left out
   */
  raise(to: FleetReading): Promise<FleetReading>;
}
