// The process's log: JSON lines by pino, on stdout, in which no secret can stand by accident.
import { pino, stdSerializers } from "pino";
import type { DestinationStream, Logger, LoggerOptions } from "pino";

import type { RequestIds } from "./app/ports/tracing-ports.js";
import type { LogFloods } from "./log-floods.js";
import type { LogLevel } from "./settings/settings-reader.js";

/** Nobody logs these; where somebody once does, they are blanked, in capitals or not. */
const SECRETS: ReadonlySet<string> = new Set([
  "authorization",
  "token",
  "admintoken",
  "edgecredential",
  "x-session-id",
  "cookie",
  "set-cookie",
  "secret",
  "password",
]);
const BLANK = "[Redacted]";
/** A secret is looked for in the fields, in theirs, and so on: so deep. */
const LEVELS = 4;

/** Lines of a library, which name no event. */
const OF_SERVER = "server";
const INFO = 30;

/**
 * @param floods none: every line is written
 * @param ids of the request that something is logged for; undefined for none
 */
export function createLog(
  level: LogLevel,
  destination?: DestinationStream,
  floods?: LogFloods,
  ids: () => RequestIds | undefined = () => undefined,
): Logger {
  const options: LoggerOptions = {
    level,
    base: null,
    // pino's own redaction copies every line's fields for each path with a wildcard: several times what the line costs.
    formatters: { level: (label: string) => ({ level: label }), log: (fields) => ofRequest(named(fields), ids()) },
    // A request's URL may hold a token that was pasted into it by mistake: the route is logged instead.
    serializers: {
      req: () => undefined,
      res: () => undefined,
      err: (error: unknown) => blankedValue(error instanceof Error ? stdSerializers.err(error) : error, LEVELS),
    },
  };
  if (floods !== undefined) options.hooks = { logMethod: limitedBy(floods) };
  const log = destination === undefined ? pino(options) : pino(options, destination);
  if (floods !== undefined) {
    floods.tell = (of, lines, seconds) => {
      log.warn(
        { event: "log-lines-summed", of, lines },
        `${lines} more lines of ${of} in ${seconds} s are not written`,
      );
    };
  }
  return log;
}

/** Whoever asks for the level debug wants all of it. */
function limitedBy(floods: LogFloods): NonNullable<NonNullable<LoggerOptions["hooks"]>["logMethod"]> {
  return function limited(args, write, level) {
    if (level < INFO || floods.take(eventOf(args[0]))) write.apply(this, args);
  };
}

function eventOf(fields: unknown): string {
  const isNamed = typeof fields === "object" && fields !== null && "event" in fields;
  return isNamed && typeof fields.event === "string" ? fields.event : OF_SERVER;
}

/** Every line has an event, and no secret. */
function named(fields: Record<string, unknown>): Record<string, unknown> {
  return blankedFields("event" in fields ? fields : { event: OF_SERVER, ...fields });
}

/** What the line says itself counts. */
const ofRequest = (fields: Record<string, unknown>, ids: RequestIds | undefined): Record<string, unknown> =>
  ids === undefined || "requestId" in fields ? fields : { ...fields, ...ids };

/** Of a line. Its error is left to the serializer: of an error, a copy has neither message nor stack. */
function blankedFields(fields: Record<string, unknown>): Record<string, unknown> {
  const { err } = fields;
  const shown = blanked(fields, LEVELS);
  return err instanceof Error && shown.err !== err ? { ...shown, err } : shown;
}

/** The same, what is secret blanked. Copied only where something is. */
function blanked(fields: object, levels: number): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(fields)) {
    const shown = SECRETS.has(name.toLowerCase()) ? BLANK : blankedValue(value, levels - 1);
    if (shown !== value) (copy ??= { ...fields })[name] = shown;
  }
  return copy ?? (fields as Record<string, unknown>);
}

function blankedValue(value: unknown, levels: number): unknown {
  if (levels === 0 || typeof value !== "object" || value === null) return value;
  if (!Array.isArray(value)) return blanked(value, levels);
  const items: unknown[] = value;
  const shown = items.map((item) => blankedValue(item, levels - 1));
  return shown.some((item, i) => item !== items[i]) ? shown : items;
}
