// Host calls that steer a stream: continue, local response, effective context; and HTTP calls.
import { HostError, StreamType, WasmResult } from "../abi.js";
import { Callout } from "../callouts.js";
import type { GuestMemory } from "../guest-memory.js";
import type { HostFunctions } from "../host-imports.js";
import type { Vm } from "../vm.js";
import { readPairs } from "./headers.js";

const NEEDED_HEADERS = [":method", ":path", ":authority"];

export function streamFunctions(vm: Vm, memory: GuestMemory): HostFunctions {
  return { ...flowFunctions(vm), ...replyFunctions(vm, memory), ...calloutFunctions(vm, memory) };
}

function flowFunctions(vm: Vm): HostFunctions {
  return {
    proxy_set_effective_context(id: number): number {
      return vm.setEffectiveContext(id) ? WasmResult.Ok : WasmResult.BadArgument;
    },
    /** On a root it answers 0 and nothing happens: the mistake that leaves a stream hanging. */
    proxy_continue_stream(type: number): number {
      if (type !== StreamType.Request && type !== StreamType.Response) return WasmResult.BadArgument;
      const { context } = vm;
      if (context.kind === "stream" && type === StreamType.Request) vm.deferred.push(() => context.resume());
      return WasmResult.Ok;
    },
    /** On a root it answers 0 and nothing happens. */
    proxy_close_stream(type: number): number {
      if (type !== StreamType.Request && type !== StreamType.Response) return WasmResult.BadArgument;
      const { context } = vm;
      if (context.kind === "stream") vm.deferred.push(() => context.reset());
      return WasmResult.Ok;
    },
    proxy_done(): number {
      throw new HostError("proxy_done: this host's contexts are done when their callback says so");
    },
  };
}

function replyFunctions(vm: Vm, memory: GuestMemory): HostFunctions {
  return {
    proxy_send_local_response(
      status: number,
      detailsAt: number,
      detailsLength: number,
      bodyAt: number,
      bodyLength: number,
      headersAt: number,
      headersLength: number,
      grpcStatus: number,
    ): number {
      const { context } = vm;
      const local = {
        status,
        details: memory.text(detailsAt, detailsLength),
        body: memory.text(bodyAt, bodyLength),
        headers: readPairs(memory, headersAt, headersLength),
        grpcStatus: grpcStatus | 0,
      };
      if (context.kind === "stream") vm.deferred.push(() => context.reply(local));
      return WasmResult.Ok;
    },
  };
}

function calloutFunctions(vm: Vm, memory: GuestMemory): HostFunctions {
  return {
    proxy_http_call(
      clusterAt: number,
      clusterLength: number,
      headersAt: number,
      headersLength: number,
      bodyAt: number,
      bodyLength: number,
      _trailersAt: number,
      _trailersLength: number,
      timeoutMs: number,
      tokenAt: number,
    ): number {
      const cluster = memory.text(clusterAt, clusterLength);
      const headers = readPairs(memory, headersAt, headersLength);
      const body = memory.bytes(bodyAt, bodyLength);
      memory.setU32(tokenAt, 0);
      if (NEEDED_HEADERS.some((name) => headers.get(name) === undefined)) return WasmResult.BadArgument;
      if (vm.host.dispatchResult !== WasmResult.Ok) return vm.host.dispatchResult;
      const { root } = vm.context;
      const callout = new Callout(vm, root, vm.takeCalloutToken(), cluster, headers, body, timeoutMs);
      root.callouts.set(callout.token, callout);
      vm.host.callouts.push(callout);
      memory.setU32(tokenAt, callout.token);
      return WasmResult.Ok;
    },
  };
}
