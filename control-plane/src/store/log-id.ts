// The ids of invalidation logs, in every engine.
import { LOG_CHARS } from "../../../assembly/contract.js";
import type { Random } from "../app/ports/ports.js";

/** The id of a log that never was before: lower-case hex, never all zero, which stands for no log at an edge. */
export function newLogId(random: Random): string {
  for (;;) {
    const bytes = random.bytes(LOG_CHARS / 2);
    if (bytes.some((byte) => byte !== 0)) return Buffer.from(bytes).toString("hex");
  }
}
