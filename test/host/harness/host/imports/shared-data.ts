// Host calls for shared data.
import { WasmResult } from "../abi.js";
import type { GuestMemory } from "../guest-memory.js";
import type { HostFunctions } from "../host-imports.js";
import type { Vm } from "../vm.js";

export function sharedDataFunctions(vm: Vm, memory: GuestMemory): HostFunctions {
  const { sharedData } = vm.host;
  return {
    proxy_get_shared_data(at: number, length: number, valueAt: number, lengthAt: number, casAt: number): number {
      const entry = sharedData.get(memory.text(at, length));
      if (entry === undefined) return WasmResult.NotFound;
      memory.giveBytes(entry.value, valueAt, lengthAt);
      memory.setU32(casAt, entry.cas);
      return WasmResult.Ok;
    },
    proxy_set_shared_data(at: number, length: number, valueAt: number, valueLength: number, cas: number): number {
      return sharedData.set(memory.text(at, length), memory.bytes(valueAt, valueLength), cas >>> 0);
    },
  };
}
