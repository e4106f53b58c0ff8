// What the document says of every operation alike, and what no route says of itself: the headers of each answer, what an
// error looks like, and what arises before a route is reached. Schemas with a title become components of that name.
import { errorBody } from "../errors.js";
import type { ErrorCode, ErrorDetail } from "../errors.js";
import { EXAMPLE_REQUEST_ID } from "../examples.js";
import { HEADERS, headersOf, REQUEST_ID_PARAMETER } from "./headers.js";
import { named, portable } from "./named-schemas.js";

interface Media {
  readonly schema: object;
  example?: unknown;
  examples?: Readonly<Record<string, object>>;
}

interface Response {
  readonly description: string;
  headers?: Readonly<Record<string, object>>;
  readonly content?: Readonly<Record<string, Media>>;
}

interface Operation {
  parameters?: readonly object[];
  readonly responses: Record<string, Response>;
}

/** As the routes' schemas make it. */
export interface RouteDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, object>>>>;
}

/** Of any operation, whatever its schema. */
const BEFORE_THE_ROUTE: readonly ErrorCode[] = [
  "MALFORMED_REQUEST",
  "REQUEST_TIMEOUT",
  "EXPECTATION_FAILED",
  "HEADERS_TOO_LARGE",
];

/** What these say beyond the catalogue, in the examples. */
const DETAILS: Partial<Record<ErrorCode, ErrorDetail>> = {
  INVALID_REQUEST: { field: "metadata.ip", message: "metadata.ip is wrong: expected an IPv4 or IPv6 address" },
  UNKNOWN_PLAN: { field: "plan", message: "plan is unknown: expected one of gold, silver" },
  IDEMPOTENCY_KEY_REUSED: { field: "idempotency-key" },
};

const component = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` });

/** @returns the document, a value of its own */
export function finishDocument({ paths, components, ...rest }: RouteDocument): object {
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  const codes = new Set(operations.flatMap(finish));
  const examples = Object.fromEntries(
    [...codes].map((code) => [code, { value: errorBody(code, EXAMPLE_REQUEST_ID, DETAILS[code]) }]),
  );
  const parameters = { RequestId: REQUEST_ID_PARAMETER };
  const document = { ...rest, paths, components: { ...components, headers: HEADERS, parameters, examples } };
  return named(portable(document));
}

/** @returns the codes of its errors */
function finish(operation: Operation): ErrorCode[] {
  const all: ErrorCode[] = [];
  operation.parameters = [...(operation.parameters ?? []), component("parameters", "RequestId")];
  operation.responses.default = {
    description: BEFORE_THE_ROUTE.join(", "),
    content: { "application/json": { schema: component("schemas", "Error") } },
  };
  for (const [status, response] of Object.entries(operation.responses)) {
    const codes = status.startsWith("2") ? [] : (response.description.split(", ") as ErrorCode[]);
    all.push(...codes);
    response.headers = { ...response.headers, ...headersOf(codes) };
    const media = response.content?.["application/json"];
    if (media === undefined || codes.length === 0) continue;
    media.examples = Object.fromEntries(codes.map((code) => [code, component("examples", code)]));
  }
  return all;
}
