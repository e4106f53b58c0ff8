// What this VM knows of one session table. It outlives root contexts and policies: a change of either keeps it.
import { CallFailures } from "./call-failures";
import { Epoch, NO_POLICY } from "./epoch";
import { Sweep } from "./sweep-state";
import { DirtySlots } from "./dirty-slots";
import { Watching } from "./watching";

export class Table {
  /** Number of sets less one; 0 until the running capacity is known. */
  setMask: u32 = 0;
  nextReportAtUs: u64 = 0;
  /** Records in use, as the last round of this VM's sweep counted them. */
  records: u64 = 0;
  watching: Watching = new Watching();
  sweep: Sweep = new Sweep();
  failures: CallFailures = new CallFailures();
  /** What the control plane sent, as it is in force here; NO_POLICY until something is. */
  epoch: Epoch = NO_POLICY;
  /** The one before, for streams that are under way. */
  previous: Epoch = NO_POLICY;
  /** The highest generation that the bell or an answer has named. */
  knownGeneration: u64 = 0;
  /** Monotonic µs when it was first named, if it is higher than the one in force here; 0: it is not. */
  behindSinceUs: u64 = 0;
  /** The hash in the bell at which this VM, without a policy, looked for the last good one: it looks once at each. */
  lookedForGoodAt: u64 = 0;
  /** A hash that this VM could not take although the bell says ok: it is not parsed again on each tick. */
  failedHash: u64 = 0;

  /**
   * @param hash of its names: part of its keys
   * @param name as the edge settings have it
   * @param cluster of the calls
   * @param capacity in records, as the newest settings want it
   * @param startUs monotonic: when this VM first knew of it. Requests wait for a policy for so long from then on
   */
  constructor(
    public hash: u32,
    public name: string,
    public cluster: ArrayBuffer,
    public capacity: u32,
    public dirty: DirtySlots,
    public startUs: u64,
  ) {}

  /** A policy of this generation is, or will be, in force at this edge. */
  noteGeneration(generation: u64, nowUs: u64): void {
    if (generation <= this.knownGeneration) return;
    this.knownGeneration = generation;
    // Set anew for each: the one before may have been rejected, and then no policy was on its way any more.
    if (generation > this.epoch.generation) this.behindSinceUs = nowUs;
  }

  /**
   * Another policy, or another generation of it, has come into force here. One that is newer still may have been named.
   * @param formerLog that of the one before, 0 if there was none: generations count within a log
   */
  caughtUp(formerLog: u64): void {
    const isOfLog = formerLog == 0 || formerLog == this.epoch.log;
    if (isOfLog && this.knownGeneration > this.epoch.generation) return;
    this.knownGeneration = this.epoch.generation;
    this.behindSinceUs = 0;
  }

  /** One assignment, between requests. The epoch before is kept for the responses that name it. */
  swap(next: Epoch): void {
    this.previous.planCounts.flush();
    this.epoch.planCounts.flush();
    this.previous = this.epoch;
    this.epoch = next;
  }
}

/** As many as there are differently named tables in this VM's life. */
const tables: Table[] = [];

/** The table with these names, made on first use. At configure only. */
export function tableOf(hash: u32, name: string, cluster: ArrayBuffer, capacity: u32, nowUs: u64): Table {
  for (let i = 0; i < tables.length; i++) {
    if (tables[i].hash != hash) continue;
    tables[i].capacity = capacity;
    return tables[i];
  }
  const made = new Table(hash, name, cluster, capacity, new DirtySlots(capacity), nowUs);
  tables.push(made);
  return made;
}
