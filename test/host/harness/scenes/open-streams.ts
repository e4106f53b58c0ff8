// Streams that stay open: a request that was let through, whose answer has begun and has no end.
import type { Edge } from "./edge.js";
import { watchAnswer } from "./documents.js";
import { requestWith } from "./edge.js";
import { run } from "../host/guest.js";
import type { Stream } from "../host/stream.js";
import type { Session } from "./tokens.js";
import type { Vm } from "../host/vm.js";

/** A tick looks at no stream before. */
export const LOOKED_AT_MS = 1000;
/** Streams that a tick of a root looks at. */
export const LOOKS_A_TICK = 256;

/** A stream of a session that has a record, on the worker. */
export function openStream(session: Session, worker: Vm): Stream {
  const stream = worker.open(requestWith(session));
  stream.beginResponse();
  return stream;
}

/** A session in the table, and a stream of it that is older than a second. */
export function sessionWithStream(edge: Edge): { session: Session; stream: Stream } {
  const session = edge.sessionInTable();
  const stream = openStream(session, edge.worker(0));
  edge.passMs(LOOKED_AT_MS);
  return { session, stream };
}

/** A stream that is entered after its end: its client leaves in the turn of the answer that lets it through. */
export function streamThatLeft(edge: Edge): { session: Session; stream: Stream } {
  const [vm, session] = [edge.worker(0), edge.newSession()];
  const stream = vm.open(requestWith(session));
  // Envoy has told of the stream's end, and frees its context only once this turn is over.
  run(vm.enter(stream, "proxy_on_delete", stream.id));
  edge.answerLive();
  vm.vanish(stream);
  return { session, stream };
}

/** The streams and roots that the filter makes host calls for from now on, in that order. */
export function contextsEntered(edge: Edge): readonly number[] {
  const contexts: number[] = [];
  edge.host.hooks.each(
    "before",
    ({ name }) => name === "proxy_set_effective_context",
    ({ args }) => contexts.push(Number(args[0])),
  );
  return contexts;
}

export function streamsClosed(edge: Edge): number {
  edge.flush();
  return edge.host.metrics.sum("sluice_streams_closed_total");
}

/** The held watch is answered: these sessions are revoked. */
export function revoke(edge: Edge, ...sessions: Session[]): void {
  edge.watch.answer(200, watchAnswer({ revoked: sessions.map(({ id }) => id) }));
}
