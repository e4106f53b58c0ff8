// Why nothing was written, though the same may be written a moment later: whoever asked is to ask again.
import { StoreUnwritable } from "./store-health.js";
import { UpdateConflict } from "./update-ports.js";

/** The store takes no writes, or others wrote the same thing first, again and again. */
export type NotWritten = StoreUnwritable | UpdateConflict;

export const isNotWritten = (error: unknown): error is NotWritten =>
  error instanceof StoreUnwritable || error instanceof UpdateConflict;
