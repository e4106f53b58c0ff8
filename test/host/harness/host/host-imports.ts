// All functions that a filter may import, with what is common to every host call: hooks, stops, and invalid pointers.
import { HostError, WasmResult } from "./abi.js";
import type { Imports } from "./guest.js";
import { InvalidMemoryAccess, type GuestMemory } from "./guest-memory.js";
import { headerFunctions } from "./imports/headers.js";
import { processFunctions } from "./imports/process.js";
import { sharedDataFunctions } from "./imports/shared-data.js";
import { streamFunctions } from "./imports/stream.js";
import { wasiFunctions } from "./imports/wasi.js";
import type { Vm } from "./vm.js";

export type HostFunction = (...args: never[]) => number;
export type HostFunctions = Record<string, HostFunction>;

/** Only these touch what VMs share, so stopping at these gives every interleaving that can make a difference. */
export const STOPPING_CALLS: readonly string[] = ["proxy_get_shared_data", "proxy_set_shared_data", "clock_time_get"];

const LEGAL_WHILE_ALLOCATING: readonly string[] = ["proxy_log", "proxy_get_current_time_nanoseconds"];

export function hostImports(vm: Vm, memory: GuestMemory): Imports {
  const env: HostFunctions = {
    ...processFunctions(vm, memory),
    ...sharedDataFunctions(vm, memory),
    ...headerFunctions(vm, memory),
    ...streamFunctions(vm, memory),
  };
  const wasi = wasiFunctions(vm, memory);
  return {
    env: mapFunctions(env, (name, call) => hostCall(vm, name, call, LEGAL_WHILE_ALLOCATING.includes(name))),
    wasi_snapshot_preview1: mapFunctions(wasi, (name, call) => hostCall(vm, name, call, true)),
  };
}

function hostCall(vm: Vm, name: string, call: HostFunction, legalWhileAllocating: boolean): WebAssembly.HostFunction {
  const stops = STOPPING_CALLS.includes(name);
  return (...args: (number | bigint)[]) => {
    const { memory } = vm.guest;
    if (stops && vm.stopsAtHostCalls && vm.guest.stopHere()) return WasmResult.Ok;
    if (memory.allocating && !legalWhileAllocating) throw new HostError(`${name} inside the allocation callback`);
    vm.host.hooks.fire("before", vm, name, args);
    const result = resultOf(call, args);
    vm.host.hooks.fire("after", vm, name, args);
    return result;
  };
}

function resultOf(call: HostFunction, args: readonly (number | bigint)[]): number {
  try {
    return call(...(args as never[]));
  } catch (error) {
    if (error instanceof InvalidMemoryAccess) return WasmResult.InvalidMemoryAccess;
    throw error;
  }
}

function mapFunctions(
  functions: HostFunctions,
  wrap: (name: string, call: HostFunction) => WebAssembly.HostFunction,
): Record<string, WebAssembly.HostFunction> {
  return Object.fromEntries(Object.entries(functions).map(([name, call]) => [name, wrap(name, call)]));
}
