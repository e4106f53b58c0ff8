// The instances that are remembered, and the bounds of that: past them those silent for longest are forgotten.
import { instanceKey } from "../../../domain/stored.js";
import type { Instance } from "../../../domain/stored.js";
import { EdgeNames } from "./edge-names.js";
import { withoutWorkers } from "./registry-entry.js";
import type { Entry } from "./registry-entry.js";
import { WorkersInAll } from "./workers-in-all.js";

/**
 * About 300 bytes each, and what the edge found wrong with a policy, at most 4 KiB. More than any installation has; past it
 * those silent for longest are taken to be gone.
 */
const MAX_INSTANCES = 65_536;
/** During a hot restart there are two; more are former lives of an Envoy that crashes in a loop, or Envoys that share a name. */
export const MAX_INSTANCES_OF_AN_EDGE = 256;

export class RegistryEntries {
  /** The one with the latest contact is the last. */
  private readonly byKey = new Map<string, Entry>();
  private readonly names = new EdgeNames();
  private readonly workersInAll = new WorkersInAll();

  /**
   * @param forgotten hears of each that is forgotten
   * @param workersForgotten hears of each whose workers are
   */
  constructor(
    private readonly forgotten: (instance: Instance) => void,
    private readonly workersForgotten: (instance: Instance) => void,
  ) {}

  get size(): number {
    return this.byKey.size;
  }

  /** Workers of all of them. */
  get workerCount(): number {
    return this.workersInAll.count;
  }

  get(instance: Instance): Entry | undefined {
    return this.byKey.get(instanceKey(instance));
  }

  all(): Entry[] {
    return [...this.byKey.values()];
  }

  hasEdge(edge: string): boolean {
    return this.names.has(edge);
  }

  /** Names of edges with an instance that is remembered, those after one, in their order. */
  edgesAfter(name: string, limit: number): readonly string[] {
    return this.names.after(name, limit);
  }

  /** The one with the latest contact is the last. */
  ofEdge(edge: string): Entry[] {
    return [...this.names.keys(edge)].map((key) => this.byKey.get(key)).filter((one) => one !== undefined);
  }

  /** With a contact now: it is the last from now on. */
  putLast(entry: Entry): void {
    const before = this.get(entry.of);
    this.byKey.delete(instanceKey(entry.of));
    this.names.touch(entry.of);
    this.keep(entry, before);
  }

  put(entry: Entry): void {
    this.keep(entry, this.get(entry.of));
  }

  forget({ of }: Entry): void {
    this.workersInAll.note(instanceKey(of), 0);
    this.byKey.delete(instanceKey(of));
    this.names.remove(of);
    this.forgotten(of);
  }

  private keep(entry: Entry, before: Entry | undefined): void {
    this.byKey.set(instanceKey(entry.of), entry);
    this.names.add(entry.of);
    if (before === undefined) this.keepFew(entry);
    this.workersInAll.note(instanceKey(entry.of), entry.workers.size);
    for (let key = this.workersInAll.surplus(); key !== undefined; key = this.workersInAll.surplus()) {
      this.forgetWorkers(key);
    }
    for (const silent of this.byKey.values()) {
      if (this.byKey.size <= MAX_INSTANCES) return;
      this.forget(silent);
    }
  }

  /** The instance stays, and counts as behind until one of its workers reports. */
  private forgetWorkers(key: string): void {
    this.workersInAll.note(key, 0);
    const entry = this.byKey.get(key);
    if (entry === undefined) return;
    this.byKey.set(key, withoutWorkers(entry));
    this.workersForgotten(entry.of);
  }

  /** Of an edge's others the one that is silent for longest goes, one that watches last of all. */
  private keepFew(added: Entry): void {
    if (this.names.keys(added.of.edge).size <= MAX_INSTANCES_OF_AN_EDGE) return;
    const others = this.ofEdge(added.of.edge).filter((one) => one !== added);
    const longest = others.find(({ watches }) => watches === 0) ?? others[0];
    if (longest !== undefined) this.forget(longest);
  }
}
