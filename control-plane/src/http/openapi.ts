// How the routes' schemas become the OpenAPI document.
import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";

export const openApi: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: "3.1.0",
    info: { title: "Sluice control plane", description: "Sessions, and what edges ask about them", version: "1" },
    components: {
      securitySchemes: {
        adminToken: { type: "http", scheme: "bearer", description: "the installation's admin token" },
        edgeCredential: { type: "http", scheme: "bearer", description: "derived from the installation's secret" },
      },
    },
  },
  // Shared schemas keep their names.
  refResolver: {
    buildLocalReference: (schema, _base, _fragment, i) => (typeof schema.$id === "string" ? schema.$id : `def-${i}`),
  },
};
