// An edge with a session in its table, whose watch is held.
import { Edge } from "./edge.js";

export function watchedEdge(workers = 1): Edge {
  const edge = new Edge({ workers });
  edge.sessionInTable();
  edge.flush();
  return edge;
}
