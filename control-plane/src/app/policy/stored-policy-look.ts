// Where control planes share a store: what another one has decided is in force here within a second or so.
import type { Timers } from "../ports/log-ports.js";

const LOOK_EVERY_MS = 1000;

export interface StoredPolicyLookParts {
  readonly timers: Timers;
  /** Takes the store's policy where its generation is higher. */
  readonly takeStored: () => Promise<unknown>;
  /** Called once for failures in a row. */
  readonly sayFailed: (error: unknown) => void;
  /** After each look. */
  readonly looked: () => void;
}

/** Looks each second, one look after the other. Returns how to end that; it waits for what is under way. */
export function lookAtStoredPolicy({ timers, takeStored, sayFailed, looked }: StoredPolicyLookParts) {
  let isOver = false;
  let isSaid = false;
  let underWay: Promise<void> = Promise.resolve();
  let cancel = (): void => undefined;
  const look = async (): Promise<void> => {
    try {
      await takeStored();
      isSaid = false;
    } catch (error) {
      if (!isSaid) sayFailed(error);
      isSaid = true;
    }
    looked();
    if (!isOver) next();
  };
  const next = (): void => {
    cancel = timers.after(LOOK_EVERY_MS, () => {
      underWay = look();
    });
  };
  next();
  return async (): Promise<void> => {
    isOver = true;
    cancel();
    await underWay;
  };
}
