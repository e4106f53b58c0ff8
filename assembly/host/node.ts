// Who this Envoy is.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";
import { OK } from "./status";

const out: usize = memory.data(8, 4);

/** Envoy's `node.id`, or "" if it has none. Managed memory: at configure only. */
export function nodeId(): string {
  const path = String.UTF8.encode("xds\0node\0id");
  const status = abi.proxy_get_property(changetype<usize>(path), path.byteLength, out, out + 4);
  return status == OK ? String.UTF8.decodeUnsafe(load<u32>(out), load<u32>(out, 4)) : "";
}
