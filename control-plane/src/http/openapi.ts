// How the routes' schemas become the OpenAPI document, and the route that gives it.
import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";

import type { HttpApp } from "./app.js";

export const openApi: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: "3.1.0",
    info: { title: "Sluice control plane", description: "Sessions, and what edges ask about them", version: "1" },
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
  transform: ({ schema, url, route }) =>
    route.config?.scope === undefined
      ? { schema, url }
      : { schema: { ...schema, security: [{ adminToken: [] }, { issuerToken: [route.config.scope] }] }, url },
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
