// Who this Envoy is.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";
import { lendArena, returnArena } from "../memory/arena";
import { OK } from "./status";

/** Much more than a name may have, so that one that is too long is told from none. */
const ROOM_BYTES: u32 = 65536;

const out: usize = memory.data(8, 4);

/** The bytes of Envoy's `node.id`; none if it has none. Managed memory: at configure only. */
export function nodeId(): ArrayBuffer {
  const path = String.UTF8.encode("xds\0node\0id");
  const room = new ArrayBuffer(<i32>ROOM_BYTES);
  // A host may leave them as they are where there is nothing to tell.
  store<u64>(out, 0);
  lendArena(changetype<usize>(room), ROOM_BYTES);
  const status = abi.proxy_get_property(changetype<usize>(path), path.byteLength, out, out + 4);
  returnArena();
  return room.slice(0, status == OK ? <i32>load<u32>(out, 4) : 0);
}
