// Sessions that share one set of the table: found by trying, since which set a session has depends on the secret.
import { policy } from "./documents.js";
import { Edge } from "./edge.js";
import type { HostCall } from "../host/host-calls.js";
import type { Session } from "./tokens.js";

/** Sessions of the edge's installation, in the same set at the smallest capacity. They begin at the edge's time. */
export function sessionsOfOneSet(edge: Edge, count: number): Session[] {
  const probe = new Edge({ policy: policy({ onMiss: "trust" }), seed: 99 });
  const bySet = new Map<string, Session[]>();
  let key = "";
  const noteKey = (call: HostCall): void => {
    if (probe.table.isSetKey(call.key)) key = call.key;
  };
  probe.host.hooks.each("after", (call) => call.name === "proxy_get_shared_data", noteKey);
  for (;;) {
    const session = edge.newSession();
    probe.send(session);
    const mates = bySet.get(key) ?? [];
    bySet.set(key, [...mates, session]);
    if (mates.length + 1 === count) return [...mates, session];
  }
}
