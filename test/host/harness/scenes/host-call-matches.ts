// Which host calls a test wants to race with: a worker's reads and writes of sets of the session table.
import type { Edge } from "./edge.js";
import type { HostCall } from "../host/host-calls.js";
import type { Vm } from "../host/vm.js";

export function writesSet(edge: Edge, worker: Vm): (call: HostCall) => boolean {
  return (call) => call.vm === worker && call.name === "proxy_set_shared_data" && edge.table.isSetKey(call.key);
}

export function readsSet(edge: Edge, worker: Vm): (call: HostCall) => boolean {
  return (call) => call.vm === worker && call.name === "proxy_get_shared_data" && edge.table.isSetKey(call.key);
}
