// What every route is joined to: the server's type, and what its requests and answers carry.
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import type { IncomingMessage, ServerResponse } from "node:http";

import type { ErrorCode } from "./errors.js";

declare module "fastify" {
  interface FastifyReply {
    /** The error that is being answered, null for none. */
    errorCode: ErrorCode | null;
  }
}

export type HttpApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;
