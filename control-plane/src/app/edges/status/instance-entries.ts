// What is remembered of each instance: what this process knows at first hand, what other processes do, and both in one.
import type { Instance } from "../../../domain/stored.js";
import { instanceKey } from "../../../domain/stored.js";
import { mergedEntry } from "../processes/merged-entry.js";
import { RegistryEntries } from "./registry-entries.js";
import { withoutWorkers } from "./registry-entry.js";
import type { Entry } from "./registry-entry.js";

export class InstanceEntries {
  /** All in one, and the bounds of that. */
  readonly merged: RegistryEntries;
  private readonly own = new Map<string, Entry>();
  /** By instance, then by process. Empty where no other process shares the store. */
  private readonly others = new Map<string, Map<string, Entry>>();

  /** @param forgotten hears of each that is forgotten */
  constructor(forgotten: (instance: Instance) => void) {
    this.merged = new RegistryEntries(
      (instance) => {
        this.own.delete(instanceKey(instance));
        this.others.delete(instanceKey(instance));
        forgotten(instance);
      },
      (instance) => {
        this.forgetWorkers(instanceKey(instance));
      },
    );
  }

  get(instance: Instance): Entry | undefined {
    return this.merged.get(instance);
  }

  /** Undefined: it never called this process. */
  ownOf(instance: Instance): Entry | undefined {
    return this.own.get(instanceKey(instance));
  }

  otherOf(process: string, instance: Instance): Entry | undefined {
    return this.others.get(instanceKey(instance))?.get(process);
  }

  /** @param called with a contact now: it is the last from now on */
  putOwn(entry: Entry, called: boolean): void {
    this.own.set(instanceKey(entry.of), entry);
    this.keep(entry.of, called);
  }

  dropOwn({ of }: Entry): void {
    if (this.own.delete(instanceKey(of))) this.keep(of, false);
  }

  putOther(process: string, entry: Entry): void {
    const key = instanceKey(entry.of);
    const before = this.get(entry.of)?.contactAtMs;
    const those = this.others.get(key) ?? new Map<string, Entry>();
    this.others.set(key, those.set(process, entry));
    this.keep(entry.of, before === undefined || entry.contactAtMs > before);
  }

  dropOther(process: string, instance: Instance): void {
    const key = instanceKey(instance);
    const those = this.others.get(key);
    if (those?.delete(process) !== true) return;
    if (those.size === 0) this.others.delete(key);
    this.keep(instance, false);
  }

  /** All that one process knows. */
  ofOther(process: string): Entry[] {
    return [...this.others.values()].flatMap((those) => those.get(process) ?? []);
  }

  private keep(instance: Instance, isLast: boolean): void {
    const key = instanceKey(instance);
    const own = this.own.get(key);
    const [first, ...more] = [...(own ? [own] : []), ...(this.others.get(key)?.values() ?? [])];
    if (first === undefined) {
      const before = this.get(instance);
      if (before !== undefined) this.merged.forget(before);
      return;
    }
    const entry = mergedEntry([first, ...more]);
    if (isLast) this.merged.putLast(entry);
    else this.merged.put(entry);
  }

  private forgetWorkers(key: string): void {
    const own = this.own.get(key);
    if (own !== undefined) this.own.set(key, withoutWorkers(own));
    const those = this.others.get(key);
    for (const [process, entry] of those ?? []) those?.set(process, withoutWorkers(entry));
  }
}
