// Counters by the names that reports have for them: each is read once, and all workers share it.
import { counterNamed } from "../../../domain/figures/counter-families.js";
import type { EdgeCounter } from "../../../domain/figures/counter-families.js";

/** Above what a policy's plans and limits make. Past it all are read again. */
const MAX_NAMES = 32_768;

export class CounterNames {
  private readonly counters = new Map<string, EdgeCounter>();

  /** Undefined: there is no such counter. */
  counter(name: string): EdgeCounter | undefined {
    const known = this.counters.get(name);
    if (known !== undefined) return known;
    const counter = counterNamed(name);
    if (counter === undefined) return undefined;
    if (this.counters.size >= MAX_NAMES) this.counters.clear();
    this.counters.set(name, counter);
    return counter;
  }
}
