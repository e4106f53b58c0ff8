// How far a sweep over its table has come.

export class Sweep {
  /** The next set to read. */
  next: u32 = 0;
  /** Records found so far in this round. */
  records: u64 = 0;
}
