// Host calls for headers and bodies: of the stream, and of a callout's answer while its callback runs.
import { BufferType, HeaderMapType, WasmResult } from "../abi.js";
import type { GuestMemory } from "../guest-memory.js";
import { decodePairs, encodePairs, HeaderMap } from "../header-map.js";
import type { HostFunctions } from "../host-imports.js";
import type { Vm } from "../vm.js";

export function headerFunctions(vm: Vm, memory: GuestMemory): HostFunctions {
  return { ...readFunctions(vm, memory), ...writeFunctions(vm, memory) };
}

function readFunctions(vm: Vm, memory: GuestMemory): HostFunctions {
  return {
    proxy_get_header_map_value(type: number, at: number, length: number, valueAt: number, lengthAt: number): number {
      const headers = headerMap(vm, type);
      if (headers === undefined) return WasmResult.BadArgument;
      const value = headers.get(memory.text(at, length));
      if (value === undefined) return WasmResult.NotFound;
      memory.giveText(value, valueAt, lengthAt);
      return WasmResult.Ok;
    },
    proxy_get_header_map_pairs(type: number, pairsAt: number, lengthAt: number): number {
      const headers = headerMap(vm, type);
      if (headers === undefined) return WasmResult.BadArgument;
      memory.giveBytes(headers.size === 0 ? new Uint8Array() : encodePairs(headers.pairs()), pairsAt, lengthAt);
      return WasmResult.Ok;
    },
    /** A read past the end is cut; one of nothing succeeds and writes neither pointer nor length, as in Envoy. */
    proxy_get_buffer_bytes(type: number, start: number, length: number, valueAt: number, lengthAt: number): number {
      const bytes = buffer(vm, type);
      if (bytes === undefined) return WasmResult.NotFound;
      const part = bytes.subarray(start >>> 0, Math.min((start >>> 0) + (length >>> 0), bytes.length));
      if (part.length > 0) memory.giveBytes(part, valueAt, lengthAt);
      return WasmResult.Ok;
    },
  };
}

function writeFunctions(vm: Vm, memory: GuestMemory): HostFunctions {
  type Change = (headers: HeaderMap, name: string, value: string) => void;
  const change =
    (apply: Change) =>
    (type: number, at: number, length: number, valueAt = 0, valueLength = 0): number => {
      const headers = headerMap(vm, type);
      if (headers === undefined) return WasmResult.BadArgument;
      apply(headers, memory.text(at, length), memory.text(valueAt, valueLength));
      return WasmResult.Ok;
    };
  return {
    proxy_add_header_map_value: change((headers, name, value) => {
      headers.add(name, value);
    }),
    proxy_replace_header_map_value: change((headers, name, value) => {
      headers.replace(name, value);
    }),
    proxy_remove_header_map_value: change((headers, name) => {
      headers.remove(name);
    }),
  };
}

function headerMap(vm: Vm, type: number): HeaderMap | undefined {
  const { context } = vm;
  if (type === HeaderMapType.CalloutHeaders) return context.root.answer?.headers;
  if (context.kind === "root") return undefined;
  if (type === HeaderMapType.RequestHeaders) return context.readableRequestHeaders;
  if (type === HeaderMapType.ResponseTrailers) return context.responseTrailers;
  return type === HeaderMapType.ResponseHeaders ? context.responseHeaders : undefined;
}

function buffer(vm: Vm, type: number): Uint8Array | undefined {
  const { context } = vm;
  const { root } = context;
  if (type === BufferType.ResponseBody) return context.kind === "stream" ? context.bodyPiece : undefined;
  if (type === BufferType.CalloutBody) return root.answer?.body;
  if (type === BufferType.VmConfiguration) return new Uint8Array();
  return type === BufferType.PluginConfiguration ? root.configuration : undefined;
}

/** The header pairs that a guest passes by pointer. */
export function readPairs(memory: GuestMemory, at: number, length: number): HeaderMap {
  return new HeaderMap(decodePairs(memory.bytes(at, length)));
}
