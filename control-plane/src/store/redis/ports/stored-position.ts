// A position of the log as the script of a commit stores it.
import type { LogPosition } from "../../../domain/stored.js";

/** Null where none is stored. */
export function positionIn(stored: string | undefined): LogPosition | null {
  const [log, cursor] = stored?.split(" ") ?? [];
  return log === undefined || cursor === undefined ? null : { log, cursor: Number(cursor) };
}
