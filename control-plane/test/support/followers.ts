// Control planes over one store, each with a policy file of its own, which a test saves when it likes.
import { onTestFinished } from "vitest";

import type { Stores } from "../../src/app/ports/stores.js";
import { MemoryStore } from "../../src/store/memory/store.js";
import { FixedClock } from "./fixed-clock.js";
import { ManualTimers } from "./manual-timers.js";
import { documentOf, SavedPolicies } from "./saved-policies.js";

/** A policy of this version: versions differ in one number, and end no session. */
export const text = (version: number): string =>
  documentOf({}, {}, `sessions: { cleanupInterval: ${60_000 + version} }\n`);

export class Follower extends SavedPolicies {
  constructor(
    store: Stores,
    private readonly time = new ManualTimers(new FixedClock()),
  ) {
    super(store, time);
    onTestFinished(() => this.service.stop());
  }

  /** Its next look at the store, and all that follows from it. */
  async look(): Promise<void> {
    this.time.advance(1000);
    await settled();
  }

  /** Generation in force, which version of the text that is, and what became of the file. */
  async shows(): Promise<readonly [generation: number, version: number, source: string]> {
    const [generation, source] = await this.state();
    const { cleanupInterval } = this.service.current().policy.sessions;
    return [generation, cleanupInterval - 60_000, source];
  }
}

/** Everything that needs no time has happened. */
export async function settled(): Promise<void> {
  for (let turns = 0; turns < 200; turns++) await Promise.resolve();
}

/** Started one after the other, with the same text or one each. */
export async function followers(...texts: string[]): Promise<Follower[]> {
  const store = new MemoryStore();
  const all: Follower[] = [];
  for (const one of texts) all.push(await new Follower(store).start(one));
  return all;
}

export async function twoFollowers(first: string, second = first): Promise<[Follower, Follower]> {
  const [a, b] = await followers(first, second);
  if (a === undefined || b === undefined) throw new Error("two were asked for");
  return [a, b];
}

export const generations = async ({ store }: SavedPolicies): Promise<number> => store.policies.newestGeneration();
