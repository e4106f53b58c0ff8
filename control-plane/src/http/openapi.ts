// How the routes' schemas become the OpenAPI document, and the route that gives it.
import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";

import type { HttpApp } from "./app.js";
import { finishDocument } from "./document/finish.js";
import type { RouteDocument } from "./document/finish.js";

const DESCRIPTION = `Sessions, and what edges ask about them.

Bodies are JSON in UTF-8. Times are ms since the epoch, tokens are whole tokens. Every route that takes GET takes HEAD too.
On /v1 a field or a parameter that a route does not know is denied, and so is a parameter that stands in a query twice.

Of what is no request to one of these routes, the answer has the form of Error too: 404 ROUTE_NOT_FOUND, and
405 METHOD_NOT_ALLOWED with the header allow.`;

const TAGS = [
  { name: "sessions", description: "Issue, show, list, change and revoke sessions" },
  { name: "usage", description: "What sessions have left, and what they spent" },
  { name: "policy", description: "Which policy is in force, and which one is held back" },
  { name: "installation", description: "How the control plane itself is" },
  { name: "edges", description: "The Envoys that ask this control plane" },
  { name: "audit", description: "Who did what" },
  { name: "edge", description: "For the filter in Envoy, not for people: the edge protocol" },
];

export const openApi: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: "3.1.0",
    info: {
      title: "Sluice control plane",
      description: DESCRIPTION,
      version: "1",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "the control plane that answered with this document" }],
    tags: TAGS,
    components: {
      securitySchemes: {
        adminToken: { type: "http", scheme: "bearer", description: "an operator's token: for every route of /v1" },
        issuerToken: {
          type: "http",
          scheme: "bearer",
          description: "an issuer's token with the scope that the route names: for the sessions that it issued",
        },
        edgeCredential: { type: "http", scheme: "bearer", description: "derived from the installation's secret" },
      },
    },
  },
  // Routes name the operator's token; where an issuer's will do, the guard knows it.
  transform: ({ schema, url, route }) => {
    const scope = route.config?.scope;
    return scope === undefined
      ? { schema, url }
      : { schema: { ...schema, security: [{ adminToken: [] }, { issuerToken: [scope] }] }, url };
  },
  transformObject: (described) => {
    if (!("openapiObject" in described)) throw new Error("the document is to be OpenAPI, not Swagger 2");
    return finishDocument(described.openapiObject as RouteDocument);
  },
  // Shared schemas keep their names.
  refResolver: {
    buildLocalReference: (schema, _base, _fragment, i) => (typeof schema.$id === "string" ? schema.$id : `def-${i}`),
  },
};

/** Open to all: it says nothing about any installation. */
export function documentRoute(app: HttpApp): void {
  // Made once, as bytes that all answers share: anyone may ask for it, and it is long.
  let document: Buffer | undefined;
  app.get("/openapi.json", { schema: { hide: true } }, (_request, reply) => {
    document ??= Buffer.from(JSON.stringify(app.swagger()));
    return reply.type("application/json; charset=utf-8").send(document);
  });
}
