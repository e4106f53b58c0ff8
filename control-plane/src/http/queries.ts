// Parameters of queries arrive as text. Here the text of an integer becomes one, where it is one and its schema wants one:
// what it may be, the schema alone says.
import type { HttpApp } from "./app.js";
import { sendError } from "./errors.js";
import { repeatedField, unexpectedParameter } from "./field-violations.js";

/** The one spelling of a whole number: no sign, no zero in front, no exponent, nothing around it. */
const WHOLE = /^(?:0|[1-9][0-9]*)$/;

interface QuerySchema {
  readonly properties: Readonly<Record<string, { readonly type?: unknown }>>;
}

/**
 * A parameter that stands twice is denied: of two programs that read the query, each could go by another of the two.
 * So is, on a route of /v1 that takes none, any.
 */
export function readQueries(app: Pick<HttpApp, "addHook">): void {
  app.addHook<{ Querystring: Record<string, unknown> }>("preValidation", (request, reply, done) => {
    const { query, routeOptions } = request;
    const schema = routeOptions.schema?.querystring as QuerySchema | undefined;
    if (schema === undefined) {
      const [unknown] = Object.keys(query);
      if (unknown !== undefined && routeOptions.url?.startsWith("/v1/") === true) {
        sendError(reply, "INVALID_REQUEST", unexpectedParameter(unknown));
      } else done();
      return;
    }
    for (const [name, value] of Object.entries(query)) {
      if (Array.isArray(value)) {
        sendError(reply, "INVALID_REQUEST", repeatedField(name));
        return;
      }
      const isInteger = Object.hasOwn(schema.properties, name) && schema.properties[name]?.type === "integer";
      if (isInteger && typeof value === "string" && WHOLE.test(value)) query[name] = Number(value);
    }
    done();
  });
}
