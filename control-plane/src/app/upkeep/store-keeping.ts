// Looks after the store each second: says once when it cannot be written any more and once when it can, and has it tried.
import type { Timers } from "../ports/log-ports.js";
import type { Logger } from "../ports/ports.js";
import { StoreUnwritable } from "../ports/store-health.js";
import type { StoreHealth } from "../ports/store-health.js";

const EVERY_MS = 1000;

export interface StoreKeepingParts {
  readonly health: Pick<StoreHealth, "look" | "unwritable">;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Ends the process: another one could write the store, this one never will. */
  readonly over: () => void;
}

/** Returns how to end that. */
export function startStoreKeeping({ health, timers, logger, over }: StoreKeepingParts): () => void {
  let isSaid = false;
  let cancel = (): void => undefined;
  const look = (): void => {
    const found = health.look();
    const reason = health.unwritable();
    if (reason !== undefined && !isSaid) {
      logger.error({ event: "store-unwritable", reason }, "the store cannot be written: writes are answered with 503");
    }
    if (reason === undefined && isSaid) logger.warn({ event: "store-writable" }, "the store can be written again");
    isSaid = reason !== undefined;
    if (found === "on") return;
    logger.error({ event: "store-over", reason }, "the disk takes writes again, this process cannot: it ends");
    over();
  };
  const next = (): void => {
    cancel = timers.after(EVERY_MS, () => {
      next();
      look();
    });
  };
  next();
  return () => {
    cancel();
  };
}

/** The line of work that goes on beside the calls. While the store cannot be written, that has been said once for all. */
export function logStoreFailure(
  logger: Pick<Logger, "error" | "debug">,
  error: unknown,
  fields: { readonly event: string },
  message: string,
): void {
  const level = error instanceof StoreUnwritable ? "debug" : "error";
  logger[level]({ ...fields, error: String(error) }, message);
}
