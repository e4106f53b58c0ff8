// Bodies and queries of requests: read strictly, or denied. What can be read in two ways is denied too.
import { isUtf8 } from "node:buffer";

import type { HttpApp } from "./app.js";
import type { ErrorCode, ErrorDetail } from "./errors.js";
import { sendError } from "./errors.js";

/** A body that is denied, and why. */
export class BodyDenied extends Error {
  override readonly name = "BodyDenied";
  constructor(
    readonly code: ErrorCode,
    readonly detail: ErrorDetail = {},
  ) {
    super(code);
  }
}

const ENCODED = { message: "The body must be sent as it is, without a content-encoding" };
const REPEATED = { message: "The body names a key of an object twice" };
const QUERY = { message: "The query must be UTF-8, percent-encoded" };

/**
 * JSON, and an empty body as none: many clients name a type whether they send a body or not. What is not UTF-8 is denied:
 * decoded leniently, different names would become one. So is a key that stands twice: of two programs that read the
 * body, such as a proxy that inspects it and this one, each could go by another of the two.
 */
export function readBodies(app: HttpApp): void {
  app.removeContentTypeParser("text/plain");
  const parseJson = app.getDefaultJsonParser("error", "error");
  app.addContentTypeParser<Buffer>("application/json", { parseAs: "buffer" }, (request, body, done) => {
    const encoding = request.headers["content-encoding"] ?? "identity";
    if (body.length === 0) done(null, undefined);
    else if (encoding.toLowerCase() !== "identity") done(new BodyDenied("UNSUPPORTED_MEDIA_TYPE", ENCODED));
    else if (!isUtf8(body)) done(new BodyDenied("MALFORMED_JSON"));
    else {
      const text = body.toString("utf8");
      void parseJson(request, text, (error: Error | null, value: unknown) => {
        if (error !== null) done(error);
        else if (hasRepeatedKey(text, value)) done(new BodyDenied("MALFORMED_JSON", REPEATED));
        else done(null, value);
      });
    }
  });
}

/** The parser of queries leaves what it cannot decode as it is: a filter by another name would answer nothing, or all. */
export function denyQueries(app: Pick<HttpApp, "addHook">): void {
  app.addHook("preValidation", (request, reply, done) => {
    const url = request.raw.url ?? "";
    const at = url.indexOf("?");
    if (at < 0 || isReadable(url.slice(at + 1))) done();
    else sendError(reply, "INVALID_REQUEST", QUERY);
  });
}

function isReadable(query: string): boolean {
  // Bytes beyond ASCII arrive as Latin-1.
  if (/[^\x21-\x7e]/.test(query)) return false;
  try {
    decodeURIComponent(query);
    return true;
  } catch {
    return false;
  }
}

/**
 * A parsed object has each key once, so it has fewer than its text names where one stands twice. Counting costs half of
 * what parsing does; a second parser that knows positions would cost ten times as much.
 * @param text JSON
 * @param value what it holds
 */
export function hasRepeatedKey(text: string, value: unknown): boolean {
  return namedIn(text) > keysIn(value);
}

/** Colons outside of strings: each follows a key. */
function namedIn(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === ":") count++;
    else if (text[at] === '"') at = endOfString(text, at);
  }
  return count;
}

/** Where the string that begins at `start` ends: a quote after an odd number of backslashes is part of it. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  for (;;) {
    let before = end;
    while (text[before - 1] === "\\") before--;
    if ((end - before) % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
}

/** Of all objects in it. Not by recursion: a body may nest as deep as it is long. */
function keysIn(value: unknown): number {
  let count = 0;
  const open: unknown[] = [value];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (typeof one !== "object" || one === null) continue;
    const inner: unknown[] = Object.values(one);
    if (!Array.isArray(one)) count += inner.length;
    for (const child of inner) if (typeof child === "object" && child !== null) open.push(child);
  }
  return count;
}
