// The last word of each instance that watches: where it is in the log, and what policy it runs. Memory only, bounded.
import type { Instance } from "./usage-ports.js";
import type { WatchRequest } from "./watch-ports.js";

/** What an instance said, and when: ms since the epoch. */
export interface WatchWord extends WatchRequest {
  readonly atMs: number;
}

export class Watchers {
  /** Moved to the end with each watch, so the longest silent comes first. */
  private readonly byKey = new Map<string, WatchWord>();

  /** @param maxWatchers past it the longest silent is forgotten */
  constructor(private readonly maxWatchers: number) {}

  /** Notes a watch. Answers what the instance said before, if it said anything. */
  called(request: WatchRequest, atMs: number): WatchWord | undefined {
    const key = watcherKey(request);
    const before = this.byKey.get(key);
    this.byKey.delete(key);
    const [longestSilent] = this.byKey.size < this.maxWatchers ? [] : this.byKey.keys();
    if (longestSilent !== undefined) this.byKey.delete(longestSilent);
    this.byKey.set(key, { ...request, atMs });
    return before;
  }

  lastOf(instance: Instance): WatchWord | undefined {
    return this.byKey.get(watcherKey(instance));
  }
}

/** An instance's digits are of one length, so that no two pairs share a key. */
export const watcherKey = ({ edge, instance }: Instance): string => `${instance}${edge}`;
