// How much one connection may ask at a time: HTTP/1.1 lets a client send requests without reading an answer.
import { ServerResponse } from "node:http";
import type { Socket } from "node:net";

import type { FastifyInstance } from "fastify";

/**
 * Requests under way on one connection. Envoy and usual clients have one. Each holds its answer for as long as those before
 * it are not read, and Node by itself begins all that one read brings: over a thousand.
 */
export const MAX_UNDER_WAY = 8;

const underWay = new WeakMap<Socket, number>();

/**
 * The server's answers. Node makes one for each request that it parses, also for those that it answers itself, such as one
 * without a Host: so all are counted, until they are sent.
 */
export class CountedResponse extends ServerResponse {
  constructor(...parts: ConstructorParameters<typeof ServerResponse>) {
    super(...parts);
    const { socket } = parts[0];
    const count = (underWay.get(socket) ?? 0) + 1;
    underWay.set(socket, count);
    if (count > MAX_UNDER_WAY) {
      socket.destroy();
      return;
    }
    this.once("finish", () => {
      underWay.set(socket, (underWay.get(socket) ?? 1) - 1);
    });
  }
}

/** What was parsed of a connection after its end is dropped. To be added before every other hook. */
export function dropUnanswerable(app: Pick<FastifyInstance, "addHook">): void {
  app.addHook("onRequest", (request, reply, done) => {
    if (request.raw.socket.destroyed) reply.hijack();
    done();
  });
}
