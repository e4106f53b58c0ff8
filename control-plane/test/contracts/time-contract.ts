// What the clock of every store that several processes share must do. An adapter's test calls this with a way to open it in two.
import { expect, it } from "vitest";

import type { StoreTime } from "../../src/app/ports/store-time.js";

export interface TimesOfTwo {
  readonly one: StoreTime;
  readonly other: StoreTime;
  /** What the clock of the store's machine says, ms since the epoch. */
  readonly machineMs: () => number;
  /** From then on `one` cannot ask the store. */
  readonly cutOff: () => Promise<void>;
}

/** A machine's clock may be set back by so much while it is steered. */
const SET_MS = 1_000;

/** `open` gives two processes over an empty store, and sees to their end. */
export function storeTimeContract(open: () => Promise<TimesOfTwo>): void {
  it("the store's time is that of its machine, ms since the epoch", async () => {
    const { one, machineMs } = await open();
    const before = machineMs();
    const said = await one.timeMs();
    expect(said).toBeGreaterThan(before - SET_MS);
    expect(said).toBeLessThan(machineMs() + SET_MS);
  });

  it("two processes are told one time, in the order in which they ask", async () => {
    const { one, other } = await open();
    const said: number[] = [];
    for (let at = 0; at < 6; at++) said.push(await (at % 2 === 0 ? one : other).timeMs());
    expect([...said].sort((a, b) => a - b)).toEqual(said);
  });

  it("a store that cannot be asked tells no time", async () => {
    const { one, cutOff } = await open();
    await cutOff();
    await expect(one.timeMs()).rejects.toThrow();
  });
}
