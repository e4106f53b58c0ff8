// The WASI functions that Envoy gives its guests and a filter uses.
import type { GuestMemory } from "../guest-memory.js";
import type { HostFunctions } from "../host-imports.js";
import type { Vm } from "../vm.js";

const SUCCESS = 0;
const INVALID = 28;
const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;

/** The guest called proc_exit: it is gone like after a trap. */
export class GuestExit extends Error {}

export function wasiFunctions(vm: Vm, memory: GuestMemory): HostFunctions {
  const { host } = vm;
  const environment = Object.entries(host.environment).map(([name, value]) => Buffer.from(`${name}=${value}\0`));
  return {
    clock_time_get(clock: number, _precision: bigint, at: number): number {
      if (clock !== CLOCK_REALTIME && clock !== CLOCK_MONOTONIC) return INVALID;
      memory.setU64(at, clock === CLOCK_MONOTONIC ? host.clock.monotonicNanos : host.clock.wallNanos);
      return SUCCESS;
    },
    environ_sizes_get(countAt: number, bytesAt: number): number {
      memory.setU32(countAt, environment.length);
      memory.setU32(bytesAt, Buffer.concat(environment).length);
      return SUCCESS;
    },
    environ_get(pointersAt: number, textsAt: number): number {
      let at = textsAt;
      environment.forEach((text, index) => {
        memory.setU32(pointersAt + index * 4, at);
        memory.setBytes(at, text);
        at += text.length;
      });
      return SUCCESS;
    },
    random_get(at: number, length: number): number {
      memory.setBytes(at, host.random.bytes(length));
      return SUCCESS;
    },
    proc_exit(code: number): number {
      throw new GuestExit(`proc_exit(${code})`);
    },
  };
}
