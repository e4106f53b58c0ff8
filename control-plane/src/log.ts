// The process's log: JSON lines by pino, on stdout, in which no secret can stand by accident.
import { pino, stdSerializers } from "pino";
import type { DestinationStream, Logger } from "pino";

import type { LogLevel } from "./settings.js";

/** Nobody logs these; where somebody once does, they are blanked. */
const SECRETS: ReadonlySet<string> = new Set(["authorization", "token", "adminToken", "edgeCredential"]);
const BLANK = "[Redacted]";
/** A secret is looked for in the fields, in theirs, and in theirs again. */
const LEVELS = 3;

export function createLog(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    // pino's own redaction copies every line's fields for each path with a wildcard: several times what the line costs.
    formatters: { level: (label: string) => ({ level: label }), log: blanked },
    // A request's URL may hold a token that was pasted into the wrong place: the route is logged instead.
    serializers: {
      req: () => undefined,
      res: () => undefined,
      err: (error: Error) => blanked(stdSerializers.err(error)),
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** The same fields, those that are secret blanked. Copied only where one is. Errors are left to their serializer. */
function blanked(fields: object, levels: number = LEVELS): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(fields)) {
    const shown = SECRETS.has(name) ? BLANK : blankedValue(value, levels - 1);
    if (shown !== value) (copy ??= { ...fields })[name] = shown;
  }
  return copy ?? (fields as Record<string, unknown>);
}

function blankedValue(value: unknown, levels: number): unknown {
  if (levels === 0 || typeof value !== "object" || value === null || value instanceof Error) return value;
  return blanked(value, levels);
}
