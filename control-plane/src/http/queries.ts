// Parameters of queries arrive as text. Here the text of an integer becomes one, where it is one and its schema wants one:
// what it may be, the schema alone says.
import type { HttpApp } from "./app.js";
import { sendError } from "./errors.js";
import { repeatedField } from "./field-violations.js";

/** The one spelling of a whole number: no sign, no zero in front, no exponent, nothing around it. */
const WHOLE = /^(?:0|[1-9][0-9]*)$/;

interface QuerySchema {
  readonly properties: Readonly<Record<string, { readonly type?: unknown }>>;
}

/** A parameter that stands twice is denied: of two programs that read the query, each could go by another of the two. */
export function readQueries(app: Pick<HttpApp, "addHook">): void {
  app.addHook<{ Querystring: Record<string, unknown> }>("preValidation", (request, reply, done) => {
    const schema = request.routeOptions.schema?.querystring as QuerySchema | undefined;
    if (schema === undefined) {
      done();
      return;
    }
    const { query } = request;
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
