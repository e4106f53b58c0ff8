// How long the calls of edges take, from a call's arrival to the end of its answer.
import { PATH_ACQUIRE, PATH_LEASE, PATH_REPORT } from "../../../../assembly/contract.js";
import type { HttpApp } from "../app.js";

/** Not the watch, which is held until there is news. */
const CALLS: ReadonlyMap<string | undefined, string> = new Map([
  [PATH_ACQUIRE, "acquire"],
  [PATH_REPORT, "report"],
  [PATH_LEASE, "lease"],
]);

const UNAUTHORIZED = 401;

/** To be called in the scope of the edge routes. Calls of no edge say nothing of what edges wait for. */
export function timeEdgeCalls(app: HttpApp, took: (call: string, ms: number) => void): void {
  app.addHook("onResponse", (request, reply, done) => {
    const call = CALLS.get(request.routeOptions.url);
    if (call !== undefined && reply.statusCode !== UNAUTHORIZED) took(call, reply.elapsedTime);
    done();
  });
}
