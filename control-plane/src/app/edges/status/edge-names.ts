// Which instances each edge has, by the edge's name, and the names in their order.
import { countAtMost } from "../../../domain/ascending.js";
import { instanceKey } from "../../../domain/stored.js";
import type { Instance } from "../../../domain/stored.js";

export class EdgeNames {
  private readonly keysOf = new Map<string, Set<string>>();
  /** Undefined: to be sorted when it is asked for. */
  private sorted: readonly string[] | undefined;

  add(instance: Instance): void {
    const keys = this.keysOf.get(instance.edge);
    if (keys === undefined) {
      this.keysOf.set(instance.edge, new Set([instanceKey(instance)]));
      this.sorted = undefined;
    } else keys.add(instanceKey(instance));
  }

  /** It is the last of its edge from now on. */
  touch(instance: Instance): void {
    const keys = this.keysOf.get(instance.edge);
    if (keys?.delete(instanceKey(instance)) === true) keys.add(instanceKey(instance));
  }

  remove(instance: Instance): void {
    const keys = this.keysOf.get(instance.edge);
    keys?.delete(instanceKey(instance));
    if (keys?.size !== 0) return;
    this.keysOf.delete(instance.edge);
    this.sorted = undefined;
  }

  has(edge: string): boolean {
    return this.keysOf.has(edge);
  }

  /** `instanceKey` of each; the one touched last is the last. */
  keys(edge: string): ReadonlySet<string> {
    return this.keysOf.get(edge) ?? new Set();
  }

  /** All names that come after one, sorted. */
  after(name: string, limit: number): readonly string[] {
    this.sorted ??= [...this.keysOf.keys()].sort();
    const { sorted } = this;
    const first = countAtMost(sorted, name);
    return sorted.slice(first, first + limit);
  }
}
