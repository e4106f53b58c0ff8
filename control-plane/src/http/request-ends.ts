// The end of each request, also of one whose caller does not wait for the answer.
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Socket } from "node:net";

import type { HttpApp } from "./app.js";

/** @param isAnswered false: the connection closed before the answer was sent, and its status says nothing */
export type EndListener = (request: FastifyRequest, reply: FastifyReply, isAnswered: boolean) => void;

declare module "fastify" {
  interface FastifyRequest {
    /** Each hears of the end once, in this order. Null where the request did not come so far, or is over. */
    endListeners: EndListener[] | null;
  }
}

/**
 * Those that are not answered yet. Node tells only the answer whose turn it is that its connection closed, and Fastify has
 * no hook for it; so connections are listened to, each once for all its requests.
 */
const underWay = new WeakMap<Socket, Set<FastifyReply>>();

/** To be called once a server, behind `dropUnanswerable`: a connection that has closed already says so no more. */
export function followEnds(app: HttpApp): void {
  app.decorateRequest("endListeners", null);
  app.addHook("onRequest", (request, reply, done) => {
    request.endListeners = [];
    repliesOf(request.raw.socket).add(reply);
    done();
  });
  app.addHook("onResponse", ({ raw: { socket } }, reply, done) => {
    underWay.get(socket)?.delete(reply);
    end(reply, true);
    done();
  });
}

/** Adds to the requests of a scope, from the hook on. Who is answered by an earlier hook is none of them. */
export function onEnd(app: HttpApp, listener: EndListener): void {
  app.addHook("onRequest", ({ endListeners }, _reply, done) => {
    endListeners?.push(listener);
    done();
  });
}

function repliesOf(socket: Socket): Set<FastifyReply> {
  const known = underWay.get(socket);
  if (known !== undefined) return known;
  const replies = new Set<FastifyReply>();
  underWay.set(socket, replies);
  socket.once("close", () => {
    for (const reply of replies) end(reply, false);
    replies.clear();
  });
  return replies;
}

/** An answer to a closed connection may still be said to be sent: the first word counts. */
function end(reply: FastifyReply, isAnswered: boolean): void {
  const { request } = reply;
  const listeners = request.endListeners;
  request.endListeners = null;
  for (const listener of listeners ?? []) listener(request, reply, isAnswered);
}
