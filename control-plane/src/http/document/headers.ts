// The headers that answers have by their kind, for the document.
import type { ErrorCode } from "../errors.js";
import { EXAMPLE_REQUEST_ID } from "../examples.js";

const requestId = { type: "string", pattern: "^[A-Za-z0-9_.:-]{1,128}$" };

/** Components: each is named by its header. */
export const HEADERS = {
  "x-request-id": {
    description: "names the request in the server's log: the caller's own where it is fit for one, else a new one",
    required: true,
    schema: requestId,
    example: EXAMPLE_REQUEST_ID,
  },
  "cache-control": {
    description: "no answer is to be kept",
    required: true,
    schema: { type: "string", enum: ["no-store"] },
    example: "no-store",
  },
  "www-authenticate": {
    description: "which credential is wanted",
    required: true,
    schema: { type: "string" },
    example: 'Bearer realm="sluice"',
  },
  "retry-after": {
    description: "after how many seconds to try again",
    required: true,
    schema: { type: "integer", format: "int32", minimum: 1 },
    example: 1,
  },
};

/** Of every operation. */
export const REQUEST_ID_PARAMETER = {
  name: "x-request-id",
  in: "header",
  required: false,
  description: "the caller's name for this request: the answer has it too. One that is not of this form is passed over",
  schema: { type: "string", maxLength: 128 },
  example: EXAMPLE_REQUEST_ID,
};

/** The errors that say when to try again. */
const WITH_RETRY_AFTER: readonly ErrorCode[] = ["TOO_MANY_REQUESTS", "NOT_WRITTEN"];

/** Answered before the guard, which keeps answers out of caches: as errors they are in none. */
const BEFORE_THE_GUARD: readonly ErrorCode[] = ["MALFORMED_REQUEST", "URL_TOO_LONG"];

/**
 * Those of an answer.
 * @param codes of the errors that it may be; none: it is no error
 */
export function headersOf(codes: readonly ErrorCode[]): Record<string, object> {
  const names: (keyof typeof HEADERS)[] = ["x-request-id"];
  if (!codes.some((code) => BEFORE_THE_GUARD.includes(code))) names.push("cache-control");
  if (codes.includes("UNAUTHORIZED")) names.push("www-authenticate");
  const headers: Record<string, object> = {};
  for (const name of names) headers[name] = { $ref: `#/components/headers/${name}` };
  const waiting = codes.filter((code) => WITH_RETRY_AFTER.includes(code));
  if (waiting.length === 0) return headers;
  const always = waiting.length === codes.length;
  const { description, ...header } = HEADERS["retry-after"];
  headers["retry-after"] = always
    ? { $ref: "#/components/headers/retry-after" }
    : { ...header, required: false, description: `${description}: with ${waiting.join(", ")}` };
  return headers;
}
