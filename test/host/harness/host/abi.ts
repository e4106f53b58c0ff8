// Numbers of the Proxy-Wasm ABI 0.2.1, as Envoy's proxy-wasm-cpp-host defines them.

export const WasmResult = {
  Ok: 0,
  NotFound: 1,
  BadArgument: 2,
  InvalidMemoryAccess: 6,
  CasMismatch: 8,
  InternalFailure: 10,
} as const;

export const HeaderMapType = { RequestHeaders: 0, ResponseHeaders: 2, ResponseTrailers: 3, CalloutHeaders: 6 } as const;

export const BufferType = { ResponseBody: 1, CalloutBody: 4, VmConfiguration: 6, PluginConfiguration: 7 } as const;

export const StreamType = { Request: 0, Response: 1 } as const;

/** What a headers callback answers; anything else continues, as in Envoy. */
export const ACTION_PAUSE = 1;

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "critical"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const METRIC_TYPES = ["counter", "gauge", "histogram"] as const;
export type MetricType = (typeof METRIC_TYPES)[number];

/** The test or the guest did what Envoy would never allow: always a mistake of the test or a bug, never an outcome. */
export class HostError extends Error {}
