// The control plane's log, line by line.
import type { Part } from "./part.js";

export interface LogLine {
  readonly event?: string;
  readonly [field: string]: unknown;
}

/** Lines of this event so far, over all lives of the process. The last one may still be under way. */
export function linesOf(part: Part, event: string): LogLine[] {
  const whole = part.log.split("\n").slice(0, -1);
  const lines = whole.filter((line) => line.startsWith("{") && line.endsWith("}"));
  return lines.map((line) => JSON.parse(line) as LogLine).filter((line) => line.event === event);
}
