// Host calls about the process: log, wall clock, ticks, properties, metrics.
import { LOG_LEVELS, WasmResult } from "../abi.js";
import type { GuestMemory } from "../guest-memory.js";
import type { HostFunctions } from "../host-imports.js";
import type { Vm } from "../vm.js";

export function processFunctions(vm: Vm, memory: GuestMemory): HostFunctions {
  return { ...stateFunctions(vm, memory), ...metricFunctions(vm, memory) };
}

function stateFunctions(vm: Vm, memory: GuestMemory): HostFunctions {
  return {
    proxy_log(levelNumber: number, at: number, length: number): number {
      const level = LOG_LEVELS[levelNumber];
      if (level === undefined) return WasmResult.BadArgument;
      vm.host.logs.push({ vm, level, message: Buffer.from(memory.bytes(at, length)).toString() });
      return WasmResult.Ok;
    },
    proxy_get_current_time_nanoseconds(at: number): number {
      memory.setU64(at, vm.host.clock.wallNanos);
      return WasmResult.Ok;
    },
    proxy_set_tick_period_milliseconds(periodMs: number): number {
      vm.context.root.tickPeriodMs = periodMs;
      return WasmResult.Ok;
    },
    /** Paths arrive with a 0 between their parts; tests set them with dots. */
    proxy_get_property(at: number, length: number, valueAt: number, lengthAt: number): number {
      const name = memory.text(at, length).replaceAll("\0", ".");
      const { context } = vm;
      const attribute = context.kind === "stream" ? context.attributes.get(name) : undefined;
      const value = attribute ?? ofStream(vm)?.get(name) ?? vm.host.properties.get(name);
      if (value === undefined) return WasmResult.NotFound;
      memory.giveBytes(Buffer.from(value), valueAt, lengthAt);
      return WasmResult.Ok;
    },
    /** Into the state that all filters of a stream share. */
    proxy_set_property(at: number, length: number, valueAt: number, valueLength: number): number {
      const properties = ofStream(vm);
      if (properties === undefined) return WasmResult.NotFound;
      properties.set(memory.text(at, length), memory.text(valueAt, valueLength));
      return WasmResult.Ok;
    },
  };
}

function ofStream({ context }: Vm): Map<string, string> | undefined {
  return context.kind === "stream" ? context.properties : undefined;
}

function metricFunctions(vm: Vm, memory: GuestMemory): HostFunctions {
  const { metrics } = vm.host;
  return {
    proxy_define_metric(type: number, at: number, length: number, idAt: number): number {
      const id = metrics.define(type, memory.text(at, length));
      if (id === undefined) return WasmResult.BadArgument;
      memory.setU32(idAt, id);
      return WasmResult.Ok;
    },
    proxy_increment_metric(id: number, offset: bigint): number {
      return metrics.increment(id, offset);
    },
    proxy_record_metric(id: number, value: bigint): number {
      return metrics.record(id, BigInt.asUintN(64, value));
    },
    proxy_get_metric(id: number, at: number): number {
      const value = metrics.get(id);
      if (value === undefined) return WasmResult.NotFound;
      memory.setU64(at, value);
      return WasmResult.Ok;
    },
  };
}
