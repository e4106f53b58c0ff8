// The process's log: JSON lines by pino, on stdout, in which no secret can stand by accident.
import { pino } from "pino";
import type { DestinationStream, Logger } from "pino";

import type { LogLevel } from "./settings.js";

/** Nobody logs these; where somebody once does, they are blanked. */
const SECRETS = ["authorization", "token", "adminToken", "edgeCredential"];

export function createLog(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
    // A request's URL may hold a token that was pasted into the wrong place: the route is logged instead.
    serializers: { req: () => undefined, res: () => undefined },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
