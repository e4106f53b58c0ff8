// An edge with one call of each kind out: an acquire, a report and a watch.
import { policy, REPORT_INTERVAL_MS } from "./documents.js";
import { Edge, type EdgeOptions } from "./edge.js";

export function callingEdge(options: EdgeOptions = {}): Edge {
  const edge = new Edge({ policy: policy({ onUnreachable: "deny" }), ...options });
  edge.send(edge.newSession());
  edge.clock.advanceMs(REPORT_INTERVAL_MS);
  edge.flush();
  return edge;
}
