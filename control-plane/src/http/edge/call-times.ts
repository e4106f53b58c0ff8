// How long the calls of edges take, from a call's arrival to the end of its answer, or of its connection.
import { PATH_ACQUIRE, PATH_LEASE, PATH_REPORT } from "../../../../assembly/contract.js";
import type { HttpApp } from "../app.js";
import { onEnd } from "../request-ends.js";

/** Not the watch, which is held until there is news. */
const CALLS: ReadonlyMap<string | undefined, string> = new Map([
  [PATH_ACQUIRE, "acquire"],
  [PATH_REPORT, "report"],
  [PATH_LEASE, "lease"],
]);

/**
 * To be called in the scope of the edge routes. What is denied is answered in no time, and would make the others look fast;
 * an edge that hangs up has waited longer than for an answer.
 */
export function timeEdgeCalls(app: HttpApp, took: (call: string, ms: number) => void): void {
  onEnd(app, (request, { statusCode, elapsedTime }, isAnswered) => {
    const call = CALLS.get(request.routeOptions.url);
    const isDenied = isAnswered && statusCode >= 400 && statusCode < 500;
    if (call !== undefined && !isDenied) took(call, elapsedTime);
  });
}
